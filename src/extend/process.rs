//! One running program: its pipes, a thread for each of them, and its certain end.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::message::{HEADER_BYTES, Header, readable};

use crate::frame::{BYTES_PER_PIXEL, Buffer, BufferPool};
use crate::util::spawn_named;

/// The longest declaration.
pub(super) const LONGEST_LINE: usize = 64 << 10;
/// The longest line of a program's error output that goes to the log; what follows on it is left out.
const LONGEST_LOG_LINE: usize = 300;
/// Lines of its error output that go to the log within [`LOG_SPAN`].
const MOST_LOG_LINES: usize = 20;
const LOG_SPAN: Duration = Duration::from_secs(10);
/// What a pipe holds, where the system lets us say so: the default of 64 KiB means a hundred changes of process a frame.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// What a program did.
pub(super) enum Event {
    Declared(Vec<u8>),
    Answer {
        number: u64,
        pixels: Buffer,
    },
    /// It did what it must not do.
    Broke(Fault),
    /// Its output ended.
    Closed,
}

/// A frame on its way to the program.
pub(super) struct Outgoing {
    pub header: Header,
    /// One line of JSON.
    pub params: Arc<str>,
    pub pixels: Arc<Buffer>,
}

/// A running program; it is ended when this is dropped.
pub(super) struct Process {
    child: Child,
    /// Dropped to tell the program that nothing more comes.
    frames: Option<Sender<Outgoing>>,
    expected: Sender<Header>,
    events: Receiver<Event>,
}

impl Process {
    /// Starts the program at `path`; `name` is for the log.
    pub(super) fn start(path: &Path, name: &str) -> io::Result<Self> {
        let mut command = command_for(path);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        {
            // A group of its own: Ctrl-C in our terminal is for us, and what the program starts ends with it.
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("the system gave no pipes"));
        };
        #[cfg(target_os = "linux")]
        {
            // Only speed hangs on it: a user may be allowed less.
            let _ = rustix::pipe::fcntl_setpipe_size(&stdin, PIPE_BYTES);
            let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES);
        }
        // One frame at a time is under way, so none of these can grow.
        let (frames, frames_taken) = mpsc::channel();
        let (expected, expected_taken) = mpsc::channel();
        let (events, events_taken) = mpsc::sync_channel(2);
        spawn_named("program-in", move || write_frames(stdin, &frames_taken));
        spawn_named("program-out", move || read_answers(stdout, &expected_taken, &events));
        let name = name.to_owned();
        spawn_named("program-log", move || pass_on_to_log(stderr, &name));
        Ok(Self { child, frames: Some(frames), expected, events: events_taken })
    }

    /// Waits for the program's first line.
    pub(super) fn declaration(&mut self, patience: Duration) -> Result<Vec<u8>, Fault> {
        match self.next(patience) {
            Some(Event::Declared(line)) => Ok(line),
            Some(Event::Broke(fault)) => Err(fault),
            Some(Event::Answer { .. }) => Err(Fault::Unasked),
            Some(Event::Closed) => Err(self.ended()),
            None => Err(Fault::Silent(patience)),
        }
    }

    /// Sends a frame; the answer to the last one has to be there.
    pub(super) fn send(&self, outgoing: Outgoing) {
        // Where the threads have ended, their last event says why.
        let _ = self.expected.send(outgoing.header);
        if let Some(frames) = &self.frames {
            let _ = frames.send(outgoing);
        }
    }

    pub(super) fn next(&self, patience: Duration) -> Option<Event> {
        match self.events.recv_timeout(patience) {
            Ok(event) => Some(event),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => Some(Event::Closed),
        }
    }

    /// Why its output ended, as well as that can be told.
    pub(super) fn ended(&mut self) -> Fault {
        let status = self.wait_for(Duration::from_millis(200));
        Fault::Ended(status.unwrap_or_else(|| "it closed its output".to_owned()))
    }

    /// Lets it end by itself, for `grace` at most, then ends it.
    pub(super) fn end(mut self, grace: Duration) {
        self.frames = None;
        self.wait_for(grace);
    }

    fn wait_for(&mut self, patience: Duration) -> Option<String> {
        let deadline = Instant::now() + patience;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status.to_string()),
                Err(_) => return None,
                Ok(None) if Instant::now() >= deadline => return None,
                // There is no wait with a time-out in std; this happens when a program ends, never while frames run.
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        {
            // With everything that it started. The group is there for as long as one of them is.
            let group = rustix::process::Pid::from_child(&self.child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        // It may have ended already, which is as good. Waiting leaves no zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a program is started; on Windows a Python script needs its launcher.
fn command_for(path: &Path) -> Command {
    if cfg!(windows) && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("py")) {
        let mut command = Command::new("py");
        command.arg(path);
        return command;
    }
    Command::new(path)
}

/// Writes frame after frame until there are no more, or nobody reads them.
fn write_frames(mut stdin: ChildStdin, frames: &Receiver<Outgoing>) {
    while let Ok(Outgoing { header, params, pixels }) = frames.recv() {
        let mut head = header.to_bytes().to_vec();
        head.extend_from_slice(params.as_bytes());
        let written = stdin.write_all(&head).and_then(|()| stdin.write_all(&pixels)).and_then(|()| stdin.flush());
        if written.is_err() {
            // The program has closed its input; the reader of its output hears of its end, too.
            return;
        }
    }
}

/// Reads the declaration, then answer after answer, and says what became of each.
fn read_answers(stdout: ChildStdout, expected: &Receiver<Header>, events: &SyncSender<Event>) {
    let mut output = BufReader::new(stdout);
    let first = match read_line(&mut output, LONGEST_LINE) {
        Ok(Line::Whole(line)) => Event::Declared(line),
        Ok(Line::Cut(_)) => Event::Broke(Fault::LongLine(LONGEST_LINE)),
        Ok(Line::End) | Err(_) => Event::Closed,
    };
    let declared = matches!(first, Event::Declared(_));
    if events.send(first).is_err() || !declared {
        return;
    }
    let pool = BufferPool::default();
    loop {
        let event = read_answer(&mut output, expected, &pool);
        let goes_on = matches!(event, Event::Answer { .. });
        if events.send(event).is_err() || !goes_on {
            return;
        }
    }
}

fn read_answer(output: &mut impl Read, expected: &Receiver<Header>, pool: &BufferPool) -> Event {
    let mut bytes = [0; HEADER_BYTES];
    let mut filled = 0;
    while filled < bytes.len() {
        match output.read(&mut bytes[filled..]) {
            Ok(0) if filled == 0 => return Event::Closed,
            // A few words and then nothing: what they say is more use than that they were few.
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Event::Closed,
        }
    }
    let header = match Header::of_answer(&bytes) {
        Ok(header) => header,
        Err(error) => return Event::Broke(error.into()),
    };
    // What is expected is said before the frame is written, so a faithful answer always finds it.
    let Ok(wanted) = expected.try_recv() else { return Event::Broke(Fault::Unasked) };
    if header.number != wanted.number {
        return Event::Broke(Fault::Number { given: header.number, wanted: wanted.number });
    }
    if header.size != wanted.size {
        return Event::Broke(Fault::Size { given: header.size, wanted: wanted.size });
    }
    let mut pixels = pool.take(wanted.size.pixels() * BYTES_PER_PIXEL);
    match output.read_exact(&mut pixels) {
        Ok(()) => Event::Answer { number: header.number, pixels },
        Err(_) => Event::Closed,
    }
}

/// What a program writes to its error output is for whoever looks for what went wrong, but must not fill the disk.
fn pass_on_to_log(stderr: ChildStderr, name: &str) {
    let mut output = BufReader::new(stderr);
    let (mut since, mut lines) = (Instant::now(), 0);
    while let Ok(line) = read_line(&mut output, LONGEST_LOG_LINE) {
        let (Line::Whole(line) | Line::Cut(line)) = line else { return };
        if since.elapsed() >= LOG_SPAN {
            (since, lines) = (Instant::now(), 0);
        }
        lines += 1;
        match lines {
            count if count < MOST_LOG_LINES => tracing::warn!("{name} says: {}", readable(&line)),
            MOST_LOG_LINES => tracing::warn!("{name} says more than belongs into a log; the rest is left out"),
            _ => {}
        }
    }
}

/// A line without its end.
enum Line {
    Whole(Vec<u8>),
    /// The beginning of one that is too long; the rest of it was skipped, or not yet read where nothing came any more.
    Cut(Vec<u8>),
    End,
}

/// Reads a line without ever keeping more than `most` bytes of it.
fn read_line(output: &mut impl BufRead, most: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    let mut is_cut = false;
    loop {
        let available = output.fill_buf()?;
        if available.is_empty() {
            return Ok(if line.is_empty() { Line::End } else { Line::Cut(line) });
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let piece = &available[..end.unwrap_or(available.len())];
        let room = most - line.len();
        is_cut |= piece.len() > room;
        line.extend_from_slice(&piece[..piece.len().min(room)]);
        let read = piece.len() + usize::from(end.is_some());
        output.consume(read);
        match (end, is_cut) {
            (Some(_), true) => return Ok(Line::Cut(line)),
            (Some(_), false) => return Ok(Line::Whole(line)),
            // Nobody waits for the end of a declaration that is too long already.
            (None, true) if most == LONGEST_LINE => return Ok(Line::Cut(line)),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_never_kept_beyond_its_limit() {
        let mut text = BufReader::with_capacity(4, &b"short\nmuch too long\n\nend"[..]);
        let mut lines = Vec::new();
        loop {
            match read_line(&mut text, 6).unwrap() {
                Line::Whole(line) => lines.push((true, line)),
                Line::Cut(line) => lines.push((false, line)),
                Line::End => break,
            }
        }
        let expected: [(bool, &[u8]); 4] = [(true, b"short"), (false, b"much t"), (true, b""), (false, b"end")];
        assert_eq!(lines.iter().map(|(whole, line)| (*whole, &line[..])).collect::<Vec<_>>(), expected);
    }
}
