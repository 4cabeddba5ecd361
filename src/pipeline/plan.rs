//! A chain compiled for one size of picture: the filters that do something, prepared and grouped into passes. Made when a
//! parameter or the size changes, never per frame.

use std::time::Duration;

use crate::filter::bands::{copy_as_rgba, for_each_band};
use crate::filter::color::PointKernel;
use crate::filter::geometric::{Motion, Move, resample};
use crate::filter::kernel::{AreaKernel, DrawKernel, Kernel};
use crate::filter::{Chain, Entry, Filter, LiveText};
use crate::frame::{BYTES_PER_PIXEL, Buffer, BufferPool, PixelFormat};
use crate::geometry::{Mapping, Size};

/// What is done to a picture, pass by pass.
#[derive(Default)]
pub(super) struct Plan {
    passes: Vec<Pass>,
    pub errors: Vec<(u32, String)>,
    /// A region that has to be hidden can't be; nothing may be shown.
    pub is_blank: bool,
}

enum Pass {
    /// Pixel by pixel, all of them while a row is in the cache.
    Points(Vec<PointKernel>),
    /// Neighbours that move pixels; one resampling for all of them.
    Moves(Vec<Turning>),
    Area(Box<dyn AreaKernel>),
    Draw(Box<dyn DrawKernel>),
}

/// A movement and how far it has turned by itself.
struct Turning {
    key: u32,
    motion: Motion,
    degrees: f64,
}

/// A picture to read: the captured one or one of our own.
#[derive(Clone, Copy)]
pub(super) struct Picture<'a> {
    pub pixels: &'a [u8],
    pub size: Size,
    pub format: PixelFormat,
}

/// The processed picture and what moved its pixels.
pub(super) struct Processed {
    pub pixels: Buffer,
    pub size: Size,
    pub mappings: Vec<Mapping>,
}

impl Plan {
    /// Prepares the enabled filters; what hides a region comes first.
    pub(super) fn compile(chain: &Chain, input: Size) -> Self {
        let mut plan = Self::default();
        let enabled = || {
            chain.items().iter().filter(|item| item.enabled).filter_map(|item| match &item.entry {
                Entry::Filter(filter) => Some((item.key, filter)),
                Entry::Unknown { .. } => None,
            })
        };
        let hides = |filter: &Filter| matches!(filter, Filter::Redact(_));
        let mut size = input;
        let first = enabled().filter(|(_, filter)| hides(filter));
        for (key, filter) in first.chain(enabled().filter(|(_, filter)| !hides(filter))) {
            match filter.prepare(size) {
                Ok(kernel) => size = plan.push(key, kernel, size),
                Err(error) => {
                    plan.is_blank |= hides(filter);
                    plan.errors.push((key, error.to_string()));
                }
            }
        }
        plan
    }

    /// Adds a kernel for pictures of `size` and gives the size that comes out of it.
    fn push(&mut self, key: u32, kernel: Kernel, size: Size) -> Size {
        match (kernel, self.passes.last_mut()) {
            (Kernel::Identity, _) => {}
            (Kernel::Point(next), Some(Pass::Points(points))) => {
                let next = match points.last_mut() {
                    Some(last) => last.fuse(next),
                    None => Some(next),
                };
                points.extend(next);
            }
            (Kernel::Point(point), _) => self.passes.push(Pass::Points(vec![point])),
            (Kernel::Geometric(motion), last) => {
                let turning = Turning { key, motion, degrees: 0.0 };
                match last {
                    Some(Pass::Moves(moves)) => moves.push(turning),
                    _ => self.passes.push(Pass::Moves(vec![turning])),
                }
                return motion.mapping.output;
            }
            (Kernel::Area(kernel), _) => self.passes.push(Pass::Area(kernel)),
            (Kernel::Draw(kernel), _) => self.passes.push(Pass::Draw(kernel)),
        }
        size
    }

    /// Whether pictures go through as they are.
    pub(super) fn is_identity(&self) -> bool {
        self.passes.is_empty()
    }

    /// Whether something turns by itself.
    pub(super) fn spins(&self) -> bool {
        self.turning().any(|turning| turning.motion.spin != 0.0)
    }

    /// Takes over how far the movements of an older plan have turned, so that a slider does not make the picture jump.
    pub(super) fn go_on_from(&mut self, older: &Self) {
        let turned = |key| older.turning().find(|old| old.key == key).map_or(0.0, |old| old.degrees);
        for turning in self.turning_mut() {
            if turning.motion.spin != 0.0 {
                turning.degrees = turned(turning.key);
            }
        }
    }

    /// Turns what spins by what it does in `elapsed`.
    pub(super) fn advance(&mut self, elapsed: Duration) {
        for turning in self.turning_mut() {
            let degrees = turning.degrees + turning.motion.spin * elapsed.as_secs_f64();
            turning.degrees = degrees.rem_euclid(360.0);
        }
    }

    fn turning(&self) -> impl Iterator<Item = &Turning> {
        self.passes.iter().flat_map(|pass| if let Pass::Moves(moves) = pass { &moves[..] } else { &[] })
    }

    fn turning_mut(&mut self) -> impl Iterator<Item = &mut Turning> {
        self.passes.iter_mut().flat_map(|pass| if let Pass::Moves(moves) = pass { &mut moves[..] } else { &mut [] })
    }

    /// Runs a picture of the compiled size through every pass. Each pass has a pool of its own in `pools`, because
    /// passes differ in size.
    pub(super) fn run(&mut self, source: Picture<'_>, live: &LiveText, pools: &mut Vec<BufferPool>) -> Processed {
        pools.resize_with(pools.len().max(self.passes.len() + 1), BufferPool::default);
        let mut canvas = Canvas { source, own: None };
        let mut mappings = Vec::new();
        for (pass, pool) in self.passes.iter_mut().zip(&*pools) {
            match pass {
                Pass::Points(points) => canvas.apply(points, pool),
                Pass::Moves(moves) => {
                    let moves: Vec<Move> =
                        moves.iter().map(|one| (one.motion.turned(one.degrees), one.motion.fill)).collect();
                    canvas.transform(&moves, pool);
                    mappings.extend(moves.iter().map(|(mapping, _)| *mapping));
                }
                Pass::Area(kernel) => canvas.filter(&mut **kernel, pool, &pools[pools.len() - 1]),
                Pass::Draw(kernel) => kernel.draw(canvas.own_pixels(pool), live),
            }
        }
        let (pixels, size) = canvas.into_own(&pools[pools.len() - 1]);
        Processed { pixels, size, mappings }
    }
}

/// The picture on its way: the captured one until something is written, then an RGBA buffer of our own.
struct Canvas<'a> {
    source: Picture<'a>,
    own: Option<(Buffer, Size)>,
}

impl Canvas<'_> {
    fn picture(&self) -> Picture<'_> {
        match &self.own {
            Some((pixels, size)) => Picture { pixels, size: *size, format: PixelFormat::Rgba },
            None => self.source,
        }
    }

    /// The picture as RGBA that may be written; copied from the captured one when it is not our own yet.
    fn own_pixels(&mut self, pool: &BufferPool) -> &mut [u8] {
        let source = self.source;
        let (own, _) = self.own.get_or_insert_with(|| {
            let mut own = pool.take(source.pixels.len());
            let stride = source.size.width as usize * BYTES_PER_PIXEL;
            for_each_band(&mut own, stride, |first, band| {
                copy_as_rgba(&source.pixels[first * stride..][..band.len()], source.format, band);
            });
            (own, source.size)
        });
        own
    }

    fn apply(&mut self, points: &[PointKernel], pool: &BufferPool) {
        let Picture { size, format, .. } = self.picture();
        let stride = size.width as usize * BYTES_PER_PIXEL;
        let (mut own, captured) = match self.own.take() {
            Some((own, _)) => (own, None),
            None => (pool.take(self.source.pixels.len()), Some(self.source.pixels)),
        };
        for_each_band(&mut own, stride, |first, band| {
            for (index, row) in band.chunks_exact_mut(stride).enumerate() {
                if let Some(captured) = captured {
                    copy_as_rgba(&captured[(first + index) * stride..][..stride], format, row);
                }
                for point in points {
                    point.apply(row);
                }
            }
        });
        self.own = Some((own, size));
    }

    fn transform(&mut self, moves: &[Move], pool: &BufferPool) {
        let Some((last, _)) = moves.last() else { return };
        let mut output = pool.take(last.output.pixels() * BYTES_PER_PIXEL);
        let Picture { pixels, format, .. } = self.picture();
        resample(pixels, format, moves, &mut output);
        self.own = Some((output, last.output));
    }

    fn filter(&mut self, kernel: &mut dyn AreaKernel, pool: &BufferPool, rgba: &BufferPool) {
        if self.picture().format != PixelFormat::Rgba {
            self.own_pixels(rgba);
        }
        let Picture { pixels, size, .. } = self.picture();
        let mut output = pool.take(pixels.len());
        kernel.run(pixels, &mut output);
        self.own = Some((output, size));
    }

    fn into_own(mut self, pool: &BufferPool) -> (Buffer, Size) {
        self.own_pixels(pool);
        self.own.unwrap_or((Buffer::default(), Size::new(0, 0)))
    }
}
