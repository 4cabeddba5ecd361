//! What can be said on the command line.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::filter_arg::parse_filter;
use crate::capture::SourceId;
use crate::engine::{Greeting, Role};
use crate::filter::Chain;
use crate::geometry::Size;
use crate::settings::{Entry, IceServer, Outgoing, Reach, Settings};

/// Shares a screen or camera through live filters with any browser, and lets whoever you allow click back.
///
/// Without a command the window opens. Everything it does can be done without one as well; see `lenscast serve --help`.
#[derive(Debug, Parser)]
#[command(version = env!("LENSCAST_VERSION"), max_term_width = 100, subcommand_negates_reqs = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Say more about what happens: -v for information, -vv for everything. RUST_LOG is understood too
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Add a filter that is a program of its own; may be given several times. It runs with your rights, so name only
    /// what you trust
    #[arg(long = "filter-program", value_name = "PATH", global = true)]
    pub filter_programs: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Share without a window, until Ctrl-C
    Serve(Box<ServeArgs>),
    /// Show how a chain of filters is compiled, and what each pass over the picture costs here
    Explain(Box<ExplainArgs>),
    /// Make, show and remove the long-lived tokens by which programs come in
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Print the log of who was let in, with what rights, and when they controlled: one line of JSON each
    Log,
    /// Let go what is held when the program is killed; started by the program itself
    #[command(hide = true)]
    Guard,
    /// Show the sources of this computer, and every filter with its parameters
    List {
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
}

/// What to do with tokens. A running Lenscast notices at once.
#[derive(Debug, Subcommand)]
pub enum TokenAction {
    /// Make a token and print it; it is shown this once
    Add {
        /// What it is for
        name: String,
        /// What it may do: watch, point, click, type or tune; may be given several times
        #[arg(long = "role", value_name = "ROLE", default_value = "watch", value_parser = parse_role)]
        roles: Vec<Role>,
        /// A page that may show its picture, by its origin, like `http://homeassistant.local:8123`; may be given several times
        #[arg(long = "origin", value_name = "ORIGIN")]
        origins: Vec<String>,
    },
    /// Show the tokens and the remembered devices, without their secrets
    List,
    /// End a token; who uses it is disconnected
    Remove { name: String },
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::from_id(text).ok_or_else(|| "it is watch, point, click, type or tune".to_owned())
}

/// Who may watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Watch {
    /// Who has the link, which carries a secret
    Link,
    /// Whoever reaches the port; clicking still needs the link
    Anyone,
    /// Whom you let in, one by one, here on the terminal; they come by a one-time link or a code
    Approve,
    /// Who has a one-time link or the code
    Invited,
}

/// The filters of a chain.
#[derive(Debug, Args)]
pub struct ChainArgs {
    /// A filter, as ID or ID:NAME=VALUE,NAME=VALUE; may be given several times, in the order in which they run
    #[arg(long = "filter", value_name = "FILTER")]
    pub filters: Vec<String>,

    /// A chain saved by the window; `--filter` adds to it
    #[arg(long, value_name = "FILE")]
    pub chain: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  lenscast explain --filter gamma:gamma=1.2 --filter hue:degrees=30 --filter gaussian_blur:sigma=4
      Three filters: the first two in one walk over the pixels.")]
pub struct ExplainArgs {
    #[command(flatten)]
    pub chain: ChainArgs,

    /// Size of the picture
    #[arg(long, default_value = "1920x1080", value_name = "WIDTHxHEIGHT", value_parser = parse_size)]
    pub size: Size,

    /// How many pictures are measured
    #[arg(long, default_value_t = 15, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub frames: u32,
}

fn parse_size(text: &str) -> Result<Size, String> {
    let side = |side: &str| side.trim().parse::<u32>().ok().filter(|side| (1..=8_192).contains(side));
    let size = text.split_once('x').and_then(|(width, height)| side(width).zip(side(height)));
    let (width, height) = size.ok_or("write it as 1920x1080; a side has 1 to 8192 pixels")?;
    Ok(Size::new(width, height))
}

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  lenscast serve
      Share the primary screen with this computer only, and print the link.
  lenscast serve --bind 0.0.0.0 --control
      Share it with the network, and let whoever has the link click.
  lenscast serve --source camera --filter cartoon --filter text:text='Back at {clock}',size=0.08
      A drawn camera with a clock.
  lenscast serve --source pattern --watch anyone --port 9000
      A test picture that any MJPEG player opens: ffplay http://127.0.0.1:9000/stream
  lenscast serve --whip https://media.example/live/whip
      Share it here, and with everybody whom a media server serves.")]
pub struct ServeArgs {
    /// What to capture: screen, screen:NAME, camera, camera:INDEX, image:PATH, pattern, or whip: what others publish
    /// here
    #[arg(long, default_value = "screen", value_name = "SOURCE")]
    pub source: SourceId,

    #[command(flatten)]
    pub chain: ChainArgs,

    /// The address to listen on: 127.0.0.1 is this computer only, 0.0.0.0 the whole network
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,

    /// The TCP port; 0 takes a free one
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub port: u16,

    /// The UDP port of all WebRTC media, the same number as the TCP port unless given; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    pub udp_port: Option<u16>,

    /// A STUN or TURN server for this computer and for viewers, as URL or URL,USER,PASSWORD; it may be given several times
    #[arg(long, value_name = "URL[,USER,PASSWORD]")]
    pub ice_server: Vec<IceServer>,

    /// Pictures a second at most
    #[arg(long, default_value_t = 30, value_name = "FPS", value_parser = clap::value_parser!(u32).range(1..=120))]
    pub fps: u32,

    /// Who may watch
    #[arg(long, value_enum, default_value = "link")]
    pub watch: Watch,

    /// Print a one-time link as well, good for two minutes
    #[arg(long)]
    pub invite: bool,

    /// Print an eight-digit code as well, good for five minutes
    #[arg(long)]
    pub code: bool,

    /// Another name under which this computer is reached, for example that of a proxy; may be given several times.
    /// Requests for names that are not known are refused
    #[arg(long = "host-name", value_name = "NAME")]
    pub host_names: Vec<String>,

    /// Viewers at a time
    #[arg(long, default_value_t = 16, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub viewers: u32,

    /// Let whoever has the link move and click this computer's pointer
    #[arg(long)]
    pub control: bool,

    /// Let whoever has the link move the filters' sliders on the page
    #[arg(long)]
    pub tune: bool,

    /// Let whoever has the link publish a picture to this computer over WHIP; `--source whip` shows it
    #[arg(long)]
    pub accept_whip: bool,

    /// Publish the picture to a WHIP server as well: its address
    #[arg(long, value_name = "URL")]
    pub whip: Option<String>,

    /// The bearer token for `--whip`; others can see it in the list of processes, unlike the environment variable
    /// LENSCAST_WHIP_TOKEN
    #[arg(long, value_name = "TOKEN", requires = "whip")]
    pub whip_token: Option<String>,

    /// Quality of the JPEG pictures, 1 to 100
    #[arg(long, default_value_t = 80, value_name = "QUALITY", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub quality: u8,

    /// Kilobits a second of each video encoder
    #[arg(long, default_value_t = 8000, value_name = "KBPS", value_parser = clap::value_parser!(u32).range(200..=50_000))]
    pub bitrate: u32,
}

impl Cli {
    /// Reads the command line; prints help, version or a mistake and ends the program where that is what was asked.
    pub fn from_command_line() -> Self {
        Self::parse()
    }
}

impl ChainArgs {
    /// The chain that they name.
    ///
    /// # Errors
    /// When a filter or the chain's file can't be read.
    pub fn read(&self) -> anyhow::Result<Chain> {
        let mut chain = Chain::default();
        if let Some(path) = &self.chain {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("the chain {} can't be read", path.display()))?;
            chain = Chain::from_json(&text).with_context(|| format!("{} is not used", path.display()))?;
        }
        for text in &self.filters {
            let filter = parse_filter(text).with_context(|| format!("--filter {text}"))?;
            if chain.add(filter).is_none() {
                bail!("--filter {text}: the chain is full; it holds at most {} filters", crate::filter::MOST_FILTERS);
            }
        }
        Ok(chain)
    }
}

impl ServeArgs {
    /// What is printed at the start.
    pub fn greeting(&self) -> Greeting {
        Greeting { invite: self.invite, code: self.code }
    }

    /// The settings these arguments stand for.
    ///
    /// # Errors
    /// When a filter or the chain's file can't be read.
    pub fn to_settings(&self) -> anyhow::Result<Settings> {
        let mut settings = Settings { source: self.source.clone(), fps: self.fps, ..Settings::default() };
        *settings.chain_mut() = self.chain.read()?;
        settings.share.reach = Reach::Address(self.bind);
        settings.share.port = self.port;
        settings.share.udp_port = self.udp_port;
        settings.share.ice_servers.clone_from(&self.ice_server);
        settings.share.watch_anyone = self.watch == Watch::Anyone;
        settings.share.entry = match self.watch {
            Watch::Link | Watch::Anyone => Entry::Link,
            Watch::Approve => Entry::Approve,
            Watch::Invited => Entry::Invited,
        };
        settings.share.hosts.clone_from(&self.host_names);
        settings.share.most_viewers = self.viewers;
        settings.share.control = self.control;
        settings.share.tune = self.tune;
        settings.share.accept = self.accept_whip;
        if let Some(url) = &self.whip {
            let token = self.whip_token.clone().or_else(|| std::env::var("LENSCAST_WHIP_TOKEN").ok());
            let token = token.unwrap_or_default();
            settings.outgoing = Outgoing { on: true, url: url.clone(), token, keep_token: false };
            if let Some(mistake) = crate::engine::mistake_in(&settings.outgoing) {
                bail!("--whip {url}: {mistake}");
            }
        }
        settings.share.jpeg_quality = self.quality;
        settings.share.bitrate_kbps = self.bitrate;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_argument_of_serve_reaches_the_settings() {
        let line = "lenscast serve --source pattern --filter crop:left=0.5 --bind 127.0.0.1 --port 9 --udp-port 10 --ice-server turn:turn.example,me,s3cr3t --ice-server stun:stun.example --fps 12 \
                    --watch anyone --control --tune --accept-whip --host-name cast.example --viewers 3 --quality 70 --bitrate 3000 --whip https://media.example/whip --whip-token t0k3n";
        let Some(Command::Serve(args)) = Cli::parse_from(line.split_whitespace()).command else { panic!("{line}") };
        let settings = args.to_settings().unwrap();
        assert_eq!((settings.source.clone(), settings.fps), (SourceId::Pattern, 12));
        assert_eq!(settings.chain().items().len(), 1);
        let share = &settings.share;
        assert_eq!((share.port, share.udp_port, share.jpeg_quality, share.bitrate_kbps), (9, Some(10), 70, 3_000));
        assert_eq!(
            (share.watch_anyone, share.control, share.tune, share.accept, share.on),
            (true, true, true, true, false)
        );
        assert_eq!((share.hosts.as_slice(), share.most_viewers), (&["cast.example".to_owned()][..], 3));
        assert_eq!(share.entry, Entry::Link);
        let servers: Vec<&str> = share.ice_servers.iter().map(|server| server.url.as_str()).collect();
        assert_eq!(servers, ["turn:turn.example", "stun:stun.example"]);
        let outgoing = &settings.outgoing;
        assert_eq!((outgoing.url.as_str(), outgoing.token.as_str()), ("https://media.example/whip", "t0k3n"));
        assert!(outgoing.on && !outgoing.keep_token);
        assert_eq!(share.reach, Reach::Address(IpAddr::from([127, 0, 0, 1])));
    }
}
