//! A chain compiled for one size of picture: the filters that do something, prepared and grouped into passes. Made when a
//! parameter or the size changes, never per frame.

use std::time::{Duration, Instant};

use super::report::{PassKind, PassReport};
use crate::filter::bands::{copy_as_rgba, for_each_band};
use crate::filter::color::PointKernel;
use crate::filter::geometric::{Move, Moving, Resampler, after};
use crate::filter::kernel::{AreaKernel, DrawKernel, Kernel, Moment, Scene, Shown, TimeKernel};
use crate::filter::{Chain, Entry, Files, Filter, LiveText, PrepareError};
use crate::frame::{BYTES_PER_PIXEL, Buffer, BufferPool, PixelFormat};
use crate::geometry::{Mapping, Size};

/// What is done to a picture, pass by pass.
#[derive(Default)]
pub(super) struct Plan {
    passes: Vec<Pass>,
    pub errors: Vec<(u32, String)>,
    /// A region that has to be hidden can't be; nothing may be shown.
    pub is_blank: bool,
    /// A filter waits for its file.
    pub waits_for_files: bool,
}

/// One walk over the picture.
struct Pass {
    /// The items of the chain that it does the work of.
    keys: Vec<u32>,
    /// The size that it was made for.
    input: Size,
    work: Work,
    /// How long it takes, averaged over the last frames; zero where nobody has a clock.
    took: Duration,
}

enum Work {
    /// Pixel by pixel, all of them while a row is in the cache.
    Points(Vec<PointKernel>),
    /// Neighbours that move pixels; one resampling for all of them.
    Moves(Vec<Moved>, Resampler),
    /// A movement that does its own resampling.
    Scale(Mapping, Box<dyn AreaKernel>),
    Area(Box<dyn AreaKernel>),
    Draw(Box<dyn DrawKernel>),
    Time(Box<dyn TimeKernel>),
}

/// A movement and whose it is.
struct Moved {
    key: u32,
    moving: Moving,
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

/// What a run needs beside the picture.
pub(super) struct Run<'a> {
    pub live: &'a LiveText,
    pub moment: Moment,
    /// Tells how long each pass takes; without one nothing is measured.
    pub clock: Option<fn() -> Instant>,
    /// Nobody will see the result: only what remembers has to see the picture.
    pub only_remember: bool,
}

impl Plan {
    /// Prepares the enabled filters; what hides a region comes first.
    pub(super) fn compile(chain: &Chain, input: Size, files: &Files) -> Self {
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
            match filter.prepare(size, files) {
                Ok(kernel) => size = plan.push(key, kernel, size),
                Err(error) => {
                    plan.is_blank |= hides(filter);
                    plan.waits_for_files |= error == PrepareError::NotYet;
                    plan.errors.push((key, error.to_string()));
                }
            }
        }
        plan
    }

    /// Adds a kernel for pictures of `size` and gives the size that comes out of it.
    fn push(&mut self, key: u32, kernel: Kernel, size: Size) -> Size {
        let work = match (kernel, self.passes.last_mut()) {
            (Kernel::Identity, _) => return size,
            (Kernel::Point(next), Some(Pass { work: Work::Points(points), keys, .. })) => {
                let next = match points.last_mut() {
                    Some(last) => last.fuse(next),
                    None => Some(next),
                };
                points.extend(next);
                keys.push(key);
                return size;
            }
            (Kernel::Geometric(motion), Some(Pass { work: Work::Moves(moves, _), keys, .. })) => {
                moves.push(Moved { key, moving: Moving::new(motion) });
                keys.push(key);
                return motion.mapping.output;
            }
            (Kernel::Point(point), _) => Work::Points(vec![point]),
            (Kernel::Geometric(motion), _) => {
                Work::Moves(vec![Moved { key, moving: Moving::new(motion) }], Resampler::default())
            }
            (Kernel::Scale(mapping, kernel), _) => Work::Scale(mapping, kernel),
            (Kernel::Area(kernel), _) => Work::Area(kernel),
            (Kernel::Draw(kernel), _) => Work::Draw(kernel),
            (Kernel::Time(kernel), _) => Work::Time(kernel),
        };
        let output = match &work {
            Work::Moves(moves, _) => moves[0].moving.motion.mapping.output,
            Work::Scale(mapping, _) => mapping.output,
            _ => size,
        };
        self.passes.push(Pass { keys: vec![key], input: size, work, took: Duration::ZERO });
        output
    }

    /// Whether pictures go through as they are.
    pub(super) fn is_identity(&self) -> bool {
        self.passes.is_empty()
    }

    /// Whether another frame of the same picture would look different, because something moves or fades by itself.
    pub(super) fn goes_on(&self) -> bool {
        let draws_on = |pass: &Pass| matches!(&pass.work, Work::Draw(kernel) if kernel.goes_on());
        self.moved().any(|moved| moved.moving.goes_on())
            || self.remembering().any(|kernel| kernel.goes_on())
            || self.passes.iter().any(draws_on)
    }

    /// Whether a frame of the same picture would look different with the pointer elsewhere.
    pub(super) fn follows_pointer(&self) -> bool {
        self.moved().any(|moved| moved.moving.follows_pointer())
    }

    /// Whether something wants to see the frames, too, that the chain is too slow for.
    pub(super) fn wants_every_frame(&self) -> bool {
        self.remembering().any(|kernel| kernel.wants_every_frame())
    }

    /// Takes over from an older plan how far its movements have turned and, if `with_memory`, what its filters remember,
    /// so that a slider does not make the picture jump.
    pub(super) fn go_on_from(&mut self, mut older: Self, with_memory: bool) {
        for moved in self.moved_mut() {
            if let Some(old) = older.moved().find(|old| old.key == moved.key) {
                moved.moving.go_on_from(&old.moving);
            }
        }
        for pass in self.passes.iter_mut() {
            let same = older.passes.iter().position(|old| old.keys == pass.keys && old.input == pass.input);
            let Some(same) = same else { continue };
            let old = older.passes.swap_remove(same);
            pass.took = old.took;
            match (&mut pass.work, old.work) {
                (Work::Time(kernel), Work::Time(old)) if with_memory => kernel.go_on_from(old),
                (Work::Moves(_, resampler), Work::Moves(_, old)) => resampler.go_on_from(old),
                _ => {}
            }
        }
    }

    /// Lets time pass for what moves by itself.
    pub(super) fn wait(&mut self, elapsed: Duration) {
        for moved in self.moved_mut() {
            moved.moving.wait(elapsed);
        }
    }

    fn moved(&self) -> impl Iterator<Item = &Moved> {
        self.passes.iter().flat_map(|pass| if let Work::Moves(moves, _) = &pass.work { &moves[..] } else { &[] })
    }

    fn moved_mut(&mut self) -> impl Iterator<Item = &mut Moved> {
        let passes = self.passes.iter_mut();
        passes.flat_map(|pass| if let Work::Moves(moves, _) = &mut pass.work { &mut moves[..] } else { &mut [] })
    }

    fn remembering(&self) -> impl Iterator<Item = &dyn TimeKernel> {
        self.passes.iter().filter_map(|pass| if let Work::Time(kernel) = &pass.work { Some(&**kernel) } else { None })
    }

    /// What the running filters have to complain about, by their key in the chain.
    pub(super) fn complaints(&self) -> impl Iterator<Item = (u32, String)> {
        self.passes.iter().filter_map(|pass| {
            let complaint = match &pass.work {
                Work::Area(kernel) => kernel.complaint(),
                Work::Time(kernel) => kernel.complaint(),
                Work::Points(_) | Work::Moves(..) | Work::Scale(..) | Work::Draw(_) => None,
            };
            Some((*pass.keys.first()?, complaint?))
        })
    }

    /// How the chain was compiled and what each pass costs.
    pub(super) fn report(&self) -> Vec<PassReport> {
        let describe = |pass: &Pass| PassReport {
            keys: pass.keys.clone(),
            kind: match &pass.work {
                Work::Points(points) => PassKind::Points(points.iter().map(PointKernel::describe).collect()),
                Work::Moves(moves, _) => PassKind::Resample(moves.len()),
                Work::Scale(..) => PassKind::Resample(1),
                Work::Area(_) => PassKind::Neighbourhood,
                Work::Draw(_) => PassKind::Draw,
                Work::Time(_) => PassKind::Time,
            },
            size: pass.input,
            took: pass.took,
            memory: if let Work::Time(kernel) = &pass.work { Some(kernel.memory()) } else { None },
            aside: if let Work::Time(kernel) = &pass.work { kernel.aside() } else { None },
        };
        self.passes.iter().map(describe).collect()
    }

    /// Runs a picture of the compiled size through every pass. Each pass has a pool of its own in `pools`, because
    /// passes differ in size. `None` when a filter keeps the frame from being shown.
    pub(super) fn run(&mut self, source: Picture<'_>, run: &Run<'_>, pools: &mut Vec<BufferPool>) -> Option<Processed> {
        pools.resize_with(pools.len().max(self.passes.len() + 1), BufferPool::default);
        let mut canvas = Canvas { source, own: None };
        let mut mappings = Vec::new();
        let last = if run.only_remember {
            let wants = |pass: &Pass| matches!(&pass.work, Work::Time(kernel) if kernel.wants_every_frame());
            self.passes.iter().rposition(wants).map_or(0, |last| last + 1)
        } else {
            self.passes.len()
        };
        for (pass, pool) in self.passes[..last].iter_mut().zip(&*pools) {
            let started = run.clock.map(|clock| clock());
            match &mut pass.work {
                Work::Points(points) => canvas.apply(points, pool),
                Work::Moves(moves, resampler) => {
                    let mut through: Vec<Move> = Vec::with_capacity(moves.len());
                    for Moved { moving, .. } in moves {
                        moving.advance(run.live.pointer.map(|pointer| after(&mappings, pointer)));
                        mappings.push(moving.mapping());
                        through.push((moving.mapping(), moving.motion.fill));
                    }
                    canvas.transform(&through, resampler, pool);
                }
                Work::Scale(mapping, kernel) => {
                    canvas.filter(&mut **kernel, mapping.output, pool, &pools[pools.len() - 1]);
                    mappings.push(*mapping);
                }
                Work::Area(kernel) => {
                    let size = canvas.picture().size;
                    canvas.filter(&mut **kernel, size, pool, &pools[pools.len() - 1]);
                }
                Work::Draw(kernel) => {
                    let scene = Scene { live: run.live, moment: run.moment, mappings: &mappings };
                    kernel.draw(canvas.own_pixels(pool), &scene);
                }
                Work::Time(kernel) => {
                    if kernel.run(canvas.own_pixels(pool), run.moment) == Shown::No {
                        return None;
                    }
                }
            }
            if let (Some(clock), Some(started)) = (run.clock, started) {
                pass.count(clock().saturating_duration_since(started));
            }
        }
        if run.only_remember {
            return None;
        }
        let (pixels, size) = canvas.into_own(&pools[pools.len() - 1]);
        Some(Processed { pixels, size, mappings })
    }
}

impl Pass {
    /// An average over about the last eight frames.
    fn count(&mut self, took: Duration) {
        self.took = if self.took.is_zero() { took } else { (self.took * 7 + took) / 8 };
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
                let mut points = points.iter();
                if let Some(captured) = captured {
                    let captured = &captured[(first + index) * stride..][..stride];
                    match (format, points.as_slice()) {
                        (PixelFormat::Rgba, [point, ..]) => {
                            point.apply_from(captured, row);
                            points.next();
                        }
                        _ => copy_as_rgba(captured, format, row),
                    }
                }
                points.for_each(|point| point.apply(row));
            }
        });
        self.own = Some((own, size));
    }

    fn transform(&mut self, moves: &[Move], resampler: &mut Resampler, pool: &BufferPool) {
        let Some((last, _)) = moves.last() else { return };
        let mut output = pool.take(last.output.pixels() * BYTES_PER_PIXEL);
        let Picture { pixels, format, .. } = self.picture();
        resampler.run(pixels, format, moves, &mut output);
        self.own = Some((output, last.output));
    }

    /// `size` is that of the result.
    fn filter(&mut self, kernel: &mut dyn AreaKernel, size: Size, pool: &BufferPool, rgba: &BufferPool) {
        if self.picture().format != PixelFormat::Rgba {
            self.own_pixels(rgba);
        }
        let Picture { pixels, .. } = self.picture();
        let mut output = pool.take(size.pixels() * BYTES_PER_PIXEL);
        kernel.run(pixels, &mut output);
        self.own = Some((output, size));
    }

    fn into_own(mut self, pool: &BufferPool) -> (Buffer, Size) {
        self.own_pixels(pool);
        self.own.unwrap_or((Buffer::default(), Size::new(0, 0)))
    }
}
