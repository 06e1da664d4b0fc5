//! Sums and exponentials of short rows, written so that they fill the registers of a processor.
//!
//! A sum runs in [`LANES`] sums side by side, which are added up in a fixed order: the same on every processor.

/// Defines a function that is compiled for several processors, and runs as the one at hand can: what it calls must be
/// inlined into it.
macro_rules! vectorised {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $output:ty $body:block) => {
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) -> $output {
            struct Work<T>(T);
            impl pulp::WithSimd for Work<($($type,)*)> {
                type Output = $output;

                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, _: S) -> $output {
                    let ($($argument,)*) = self.0;
                    $body
                }
            }
            pulp::Arch::new().dispatch(Work(($($argument,)*)))
        }
    };
}
pub(crate) use vectorised;

/// Sums side by side.
const LANES: usize = 32;

/// Adds up lanes, halves onto halves.
#[inline(always)]
fn add_up(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The sum of `f(x, y)` over two rows of one length.
#[inline(always)]
pub fn sum_of(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for lane in 0..LANES {
            lanes[lane] += f(x[lane], y[lane]);
        }
    }
    for ((lane, x), y) in lanes.iter_mut().zip(x_rest).zip(y_rest) {
        *lane += f(*x, *y);
    }
    add_up(lanes)
}

/// The sum of `f(x)` over a row.
#[inline(always)]
pub fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    sum_of(x, x, |x, _| f(x))
}

/// Numbers that are added up in single precision before double precision takes over.
const PIECE: usize = 128;

/// The sum of `f(x)` over a long row. Of many small numbers beside a large one none is lost, as it would be in a single sum: of the 49,152 powers
/// of a vocabulary that is 4e-6 of the whole, and always in one direction.
#[inline(always)]
pub fn long_sum(x: &[f32], f: impl Fn(f32) -> f32) -> f64 {
    let mut whole = 0.0;
    for x in x.chunks(PIECE) {
        whole += f64::from(sum(x, &f));
    }
    whole
}

/// The largest number of a row, or minus infinity.
#[inline(always)]
pub fn largest(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for x in chunks {
        for lane in 0..LANES {
            lanes[lane] = if x[lane] > lanes[lane] { x[lane] } else { lanes[lane] };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |largest, x| if *x > largest { *x } else { largest })
}

/// Powers are kept between e^-69 and e^69: further down, what they are multiplied by would make subnormal numbers of them, on
/// which a processor is some ten times slower.
const FURTHEST: f32 = 69.0;

/// e to the power of `x`, to two units in the last place; 0 below -69 (that is 1e-30), and no more than at 69.
///
/// The power of two is split off and put into the exponent's bits; the series up to the sixth power does the rest.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest whole number in the low bits
    const LN_2_HIGH: f32 = 0.693_359_4; // few bits, so that its products with whole numbers are exact
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x > FURTHEST { FURTHEST } else { x };
    let kept = if x < -FURTHEST { -FURTHEST } else { x };
    let rounded = kept.mul_add(std::f32::consts::LOG2_E, ROUND);
    let whole = rounded - ROUND;
    let rest = whole.mul_add(-LN_2_LOW, whole.mul_add(-LN_2_HIGH, kept));
    let mut sum = 1.0f32 / 720.0;
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum.mul_add(rest, coefficient);
    }
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    if x < -FURTHEST { 0.0 } else { sum * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_that_of_the_library() {
        let mut worst = 0.0f64;
        for step in -69_000i32..69_000 {
            let x = step as f32 / 1000.0;
            let expected = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - expected).abs() / expected);
        }
        assert!(worst < 2.0 * f64::from(f32::EPSILON), "relative error {worst}");
        assert_eq!((exp(-100.0), exp(f32::NEG_INFINITY), exp(0.0)), (0.0, 0.0, 1.0));
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn nothing_small_is_lost() {
        let mut row = vec![2.9e-8f32; 49_152];
        row[0] = 1.0;
        let expected: f64 = row.iter().copied().map(f64::from).sum();
        assert!((long_sum(&row, |x| x) - expected).abs() < 1e-6);
        assert!((f64::from(sum(&row, |x| x)) - expected).abs() > 1e-5, "a single sum loses what stands beside the 1");
    }

    #[test]
    fn sums_are_whole() {
        for count in [0, 1, 31, 32, 33, 100] {
            let row: Vec<f32> = (0..count).map(|number: u8| f32::from(number)).collect();
            let expected = row.iter().sum::<f32>();
            assert!((sum(&row, |x| x) - expected).abs() < 1e-3, "{count} numbers");
            assert!((long_sum(&row, |x| x) - f64::from(expected)).abs() < 1e-3, "{count} numbers");
            assert_eq!(Some(largest(&row)), row.last().copied().or(Some(f32::NEG_INFINITY)));
        }
    }
}
