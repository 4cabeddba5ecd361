//! Which URL goes where and what it needs: one table, from which the router, the gate and their test are made.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, patch, post};

use super::super::Shared;
use super::super::access::{Need, Openness};
use super::super::roles::Role;
use super::super::webrtc::whep;
use super::super::websocket;
use super::super::whip;
use super::{api, assets, enter, policy};

/// What kind of URL it is, which decides what the gate asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The page, or what mjpg-streamer's clients ask for.
    Root,
    Asset,
    Picture,
    State,
    Socket,
    Whep,
    Whip,
    Chain,
    Pointer,
    /// The door.
    Enter,
    /// In no table.
    Unknown,
}

/// One line of the table.
pub struct Route {
    pub path: &'static str,
    pub kind: Kind,
    pub methods: &'static [&'static str],
    handlers: fn() -> MethodRouter<Arc<Shared>>,
}

const READ: &[&str] = &["GET", "HEAD"];

/// Every URL there is.
pub const ROUTES: &[Route] = &[
    Route { path: "/", kind: Kind::Root, methods: READ, handlers: || get(api::root) },
    Route { path: "/favicon.ico", kind: Kind::Asset, methods: READ, handlers: || get(assets::favicon) },
    Route { path: "/viewer/{name}", kind: Kind::Asset, methods: READ, handlers: || get(assets::asset) },
    Route { path: "/stream", kind: Kind::Picture, methods: READ, handlers: || get(api::stream) },
    Route { path: "/video_feed", kind: Kind::Picture, methods: READ, handlers: || get(api::stream) },
    Route { path: "/stream.mjpg", kind: Kind::Picture, methods: READ, handlers: || get(api::stream) },
    Route { path: "/snapshot", kind: Kind::Picture, methods: READ, handlers: || get(api::snapshot) },
    Route { path: "/snapshot.jpg", kind: Kind::Picture, methods: READ, handlers: || get(api::snapshot) },
    Route { path: "/state", kind: Kind::State, methods: READ, handlers: || get(api::state) },
    Route { path: "/ws", kind: Kind::Socket, methods: READ, handlers: || get(websocket::open) },
    Route {
        path: "/whep",
        kind: Kind::Whep,
        methods: &["POST", "GET", "HEAD", "OPTIONS"],
        handlers: || post(whep::create).get(whep::look).options(whep::options),
    },
    Route {
        path: "/whep/{session}",
        kind: Kind::Whep,
        methods: &["PATCH", "DELETE", "OPTIONS"],
        handlers: || patch(whep::trickle).delete(whep::end).options(whep::options),
    },
    Route {
        path: "/whip",
        kind: Kind::Whip,
        methods: &["POST", "GET", "HEAD", "OPTIONS"],
        handlers: || post(whip::create).get(whip::look).options(whip::options),
    },
    Route {
        path: "/whip/{session}",
        kind: Kind::Whip,
        methods: &["PATCH", "DELETE", "OPTIONS"],
        handlers: || patch(whip::patch).delete(whip::end).options(whip::options),
    },
    Route { path: "/api/v1/clock", kind: Kind::State, methods: READ, handlers: || get(api::clock) },
    Route {
        path: "/api/v1/chain",
        kind: Kind::Chain,
        methods: &["GET", "HEAD", "PATCH"],
        handlers: || get(api::chain).patch(api::patch_chain),
    },
    Route { path: "/api/v1/filters", kind: Kind::Chain, methods: READ, handlers: || get(api::filters) },
    Route { path: "/api/v1/pointer", kind: Kind::Pointer, methods: &["POST"], handlers: || post(api::pointer) },
    Route { path: "/api/v1/enter", kind: Kind::Enter, methods: &["POST"], handlers: || post(enter::enter) },
    Route { path: "/api/v1/enter/{name}", kind: Kind::Enter, methods: READ, handlers: || get(enter::poll) },
];

pub fn router(shared: Arc<Shared>) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handlers)()));
    routes
        .fallback(api::nothing_here)
        .method_not_allowed_fallback(api::wrong_method)
        .layer(from_fn_with_state(Arc::clone(&shared), policy::gate))
        .with_state(shared)
}

/// The kind of a path; what is not in the table is [`Kind::Unknown`].
pub fn kind_of(path: &str) -> Kind {
    let fits = |route: &&Route| {
        let (mut known, mut asked) = (route.path.split('/'), path.split('/'));
        loop {
            match (known.next(), asked.next()) {
                (None, None) => return true,
                (Some(known), Some(asked)) if known == asked => {}
                (Some(known), Some(asked)) if known.starts_with('{') && !asked.is_empty() => {}
                _ => return false,
            }
        }
    };
    ROUTES.iter().find(fits).map_or(Kind::Unknown, |route| route.kind)
}

impl Kind {
    /// What a request to a URL of this kind needs.
    pub fn need(self, method: &Method, query: Option<&str>) -> Need {
        match self {
            Self::Root if api::action(query).is_some() => Need::Role(Role::Watch),
            Self::Root | Self::Asset | Self::Enter => Need::Nothing,
            Self::Picture | Self::State | Self::Socket => Need::Role(Role::Watch),
            // A browser asks beforehand, without any secret.
            Self::Whep | Self::Whip if *method == Method::OPTIONS => Need::Nothing,
            Self::Whep => Need::Role(Role::Watch),
            // What is published is shown to everybody, as what the sliders do is.
            Self::Whip | Self::Chain => Need::Role(Role::Tune),
            Self::Pointer => Need::Desktop,
            Self::Unknown => Need::Unknown,
        }
    }

    pub fn openness(self, query: Option<&str>) -> Openness {
        match self {
            Self::Root if api::action(query).is_some() => Openness::Picture,
            Self::Root => Openness::Page,
            Self::Picture => Openness::Picture,
            Self::Whep | Self::Whip => Openness::AnyOrigin,
            Self::Asset | Self::State | Self::Socket | Self::Chain | Self::Pointer | Self::Enter | Self::Unknown => {
                Openness::Own
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_watches_and_what_changes_are_told_apart() {
        let need = |method: Method, path, query| kind_of(path).need(&method, query);
        for (path, query) in
            [("/stream", None), ("/snapshot.jpg", None), ("/", Some("action=stream")), ("/state", None), ("/ws", None)]
        {
            assert_eq!(need(Method::GET, path, query), Need::Role(Role::Watch), "{path}");
        }
        for path in ["/api/v1/chain", "/api/v1/filters"] {
            assert_eq!(need(Method::GET, path, None), Need::Role(Role::Tune), "{path}");
        }
        assert_eq!(need(Method::POST, "/api/v1/pointer", None), Need::Desktop);
        assert_eq!(need(Method::GET, "/", None), Need::Nothing);
        assert_eq!(need(Method::OPTIONS, "/whep", None), Need::Nothing);
        assert_eq!(need(Method::DELETE, "/whep/1", None), Need::Role(Role::Watch));
        for method in [Method::POST, Method::PATCH, Method::DELETE, Method::GET, Method::HEAD] {
            assert_eq!(need(method.clone(), "/whip", None), Need::Role(Role::Tune));
            assert_eq!(need(method, "/whip/1", None), Need::Role(Role::Tune));
        }
        for path in ["/nonsense", "/viewer", "/viewer/", "/viewer/a/b", "//stream", "/stream/", "/STATE", ""] {
            assert_eq!(need(Method::GET, path, None), Need::Unknown, "{path}");
        }
    }
}
