//! Scales: from a value to its place along an axis.

/// From a value to a place between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// From 0 to the most, which is more than 0.
    Linear {
        /// The value at the end.
        most: f64,
    },
    /// From the least to the most, which is more.
    Between {
        /// The value at the beginning.
        least: f64,
        /// The value at the end.
        most: f64,
    },
    /// By square roots, from 0 to the most, which is more than 0: there is more room for what is small.
    Root {
        /// The value at the end.
        most: f64,
    },
    /// By powers, from the least, which is more than 0, to the most.
    Log {
        /// The value at the beginning.
        least: f64,
        /// The value at the end.
        most: f64,
    },
}

impl Scale {
    /// From 0 to `most`, or to 1 where there is nothing.
    #[must_use]
    pub fn linear(most: f64) -> Self {
        Self::Linear { most: if most > 0.0 { most } else { 1.0 } }
    }

    /// Counts by powers of ten. It begins at one half, so that one has a length, too.
    #[must_use]
    pub fn powers(most: f64) -> Self {
        Self::Log { least: 0.5, most: most.max(1.0) }
    }

    /// From some way below the least to some way above the most of the values; from 0 to 1 where there are none.
    #[must_use]
    pub fn around(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
        if least > most {
            return Self::linear(1.0);
        }
        let room = (most - least).max(0.01 * most.abs()).max(0.01) / 4.0;
        Self::Between { least: least - room, most: most + room }
    }

    /// The place of a value; what lies outside is at the end.
    #[must_use]
    pub fn place(self, value: f64) -> f64 {
        let place = match self {
            Self::Linear { most } => value / most,
            Self::Between { least, most } => (value - least) / (most - least),
            Self::Root { most } => (value.max(0.0) / most).sqrt(),
            Self::Log { least, most } => (value.max(least) / least).log10() / (most / least).log10(),
        };
        place.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lie_between_the_ends() {
        let places = |scale: Scale, values: &[f64]| values.iter().map(|value| scale.place(*value)).collect::<Vec<_>>();
        assert_eq!(places(Scale::linear(200.0), &[-1.0, 0.0, 50.0, 200.0, 300.0]), [0.0, 0.0, 0.25, 1.0, 1.0]);
        assert_eq!(places(Scale::linear(0.0), &[0.0]), [0.0], "nothing at all has a place");
        let around = Scale::Between { least: -2.0, most: 2.0 };
        assert_eq!(places(around, &[-3.0, -1.0, 0.0, 2.0]), [0.0, 0.25, 0.5, 1.0]);
        assert_eq!(places(Scale::Root { most: 4.0 }, &[-1.0, 0.0, 1.0, 4.0, 9.0]), [0.0, 0.0, 0.5, 1.0, 1.0]);
        assert_eq!(Scale::around([1.0, 3.0, 2.0].into_iter()), Scale::Between { least: 0.5, most: 3.5 });
        assert_eq!(Scale::around(std::iter::empty()), Scale::linear(1.0));
        let powers = Scale::powers(50.0);
        assert_eq!(places(powers, &[0.0, 0.5, 5.0, 50.0]), [0.0, 0.0, 0.5, 1.0]);
        assert!(powers.place(1.0) > 0.1, "one can be seen");
    }
}
