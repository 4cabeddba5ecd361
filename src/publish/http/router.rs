//! Which URL goes where; all of them go through the gate.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::super::Shared;
use super::super::webrtc::whep;
use super::super::websocket;
use super::super::whip;
use super::{api, assets, policy};

pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(api::root))
        .route("/favicon.ico", get(assets::favicon))
        .route("/viewer/{name}", get(assets::asset))
        .route("/stream", get(api::stream))
        .route("/video_feed", get(api::stream))
        .route("/stream.mjpg", get(api::stream))
        .route("/snapshot", get(api::snapshot))
        .route("/snapshot.jpg", get(api::snapshot))
        .route("/state", get(api::state))
        .route("/ws", get(websocket::open))
        .route("/whep", post(whep::create).get(whep::look).options(whep::options))
        .route("/whep/{session}", axum::routing::patch(whep::trickle).delete(whep::end).options(whep::options))
        .route("/whip", post(whip::create).get(whip::look).options(whip::options))
        .route("/whip/{session}", axum::routing::patch(whip::patch).delete(whip::end).options(whip::options))
        .route("/api/v1/clock", get(api::clock))
        .route("/api/v1/chain", get(api::chain).patch(api::patch_chain))
        .route("/api/v1/filters", get(api::filters))
        .route("/api/v1/pointer", post(api::pointer))
        .fallback(api::nothing_here)
        .method_not_allowed_fallback(api::wrong_method)
        .layer(from_fn_with_state(Arc::clone(&shared), policy::gate))
        .with_state(shared)
}
