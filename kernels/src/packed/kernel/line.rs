//! Sixteen numbers, which rows and weights are made of: a vector of the widest processors, and a line of the cache.

/// Numbers of a line, and columns of a panel.
pub const WIDE: usize = 16;

/// Sixteen numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Line(pub [f32; WIDE]);

impl Line {
    /// Sixteen zeros.
    pub const ZERO: Self = Self([0.0; WIDE]);

    /// The numbers of some lines.
    #[expect(unsafe_code, reason = "the compiler does not know that a line is its numbers")]
    #[must_use]
    pub fn numbers(lines: &[Self]) -> &[f32] {
        // SAFETY: a line is sixteen numbers and nothing else.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * WIDE) }
    }

    /// The same number sixteen times.
    #[inline(always)]
    #[must_use]
    pub fn of(number: f32) -> Self {
        Self([number; WIDE])
    }

    /// What a function gives for each number and that of another line.
    #[inline(always)]
    #[must_use]
    pub fn with(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut line = self;
        for lane in 0..WIDE {
            line.0[lane] = f(self.0[lane], other.0[lane]);
        }
        line
    }

    /// What a function gives for each number.
    #[inline(always)]
    #[must_use]
    pub fn map(self, f: impl Fn(f32) -> f32) -> Self {
        self.with(self, |x, _| f(x))
    }

    /// The sum of its numbers, halves onto halves.
    #[inline(always)]
    #[must_use]
    pub fn sum(self) -> f32 {
        self.folded(|x, y| x + y)
    }

    /// The largest of its numbers.
    #[inline(always)]
    #[must_use]
    pub fn largest(self) -> f32 {
        self.folded(|x, y| if y > x { y } else { x })
    }

    #[inline(always)]
    fn folded(self, f: impl Fn(f32, f32) -> f32) -> f32 {
        let Self(mut lanes) = self;
        let mut half = WIDE / 2;
        while half > 0 {
            for lane in 0..half {
                lanes[lane] = f(lanes[lane], lanes[lane + half]);
            }
            half /= 2;
        }
        lanes[0]
    }
}
