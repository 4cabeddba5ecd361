//! Every filter with every valid parameter on every size of picture.

use lenscast::filter::{Chain, all, create};
use lenscast::geometry::Size;

use super::{SIZES, noise, randomise, run};
use crate::support::random::Random;

#[test]
fn no_valid_parameter_and_no_size_makes_a_filter_fail() {
    for spec in all() {
        for seed in 0..60 {
            let mut random = Random::new(seed);
            let mut filter = create(spec.id).unwrap();
            randomise(&mut filter, &mut random);
            for size in SIZES {
                // Shown if the filter panics.
                println!("{} on {size} with seed {seed}: {filter:?}", spec.id);
                let mut chain = Chain::default();
                chain.add(filter.clone()).unwrap();
                let frame = run(size, &noise(size, &mut random), &chain);
                assert_eq!(frame.pixels.len(), frame.size.pixels() * 4);
                assert!(!frame.size.is_empty());
            }
        }
    }
}

#[test]
fn one_thread_and_many_give_the_same_picture() {
    let pools = [1, 2, 7].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    let size = Size::new(51, 333);
    for spec in all() {
        for seed in 0..6 {
            let mut random = Random::new(seed);
            let mut chain = Chain::default();
            let mut filter = create(spec.id).unwrap();
            randomise(&mut filter, &mut random);
            chain.add(filter).unwrap();
            let pixels = noise(size, &mut random);
            let [one, two, seven] = pools.each_ref().map(|pool| pool.install(|| run(size, &pixels, &chain)));
            assert!(one.pixels[..] == two.pixels[..], "{} with seed {seed}: {}", spec.id, chain.to_json());
            assert!(one.pixels[..] == seven.pixels[..], "{} with seed {seed}: {}", spec.id, chain.to_json());
        }
    }
}
