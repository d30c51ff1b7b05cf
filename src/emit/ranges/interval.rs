//! Intervals of signed integers, and what operations make of them.

use cranelift_codegen::ir::Type;

/// The integers from `lo` to `hi`, both included; none if `lo` is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub lo: i64,
    pub hi: i64,
}

impl Interval {
    pub const EMPTY: Interval = Interval {
        lo: i64::MAX,
        hi: i64::MIN,
    };

    pub fn new(lo: i64, hi: i64) -> Interval {
        Interval { lo, hi }
    }

    pub fn exactly(value: i64) -> Interval {
        Interval::new(value, value)
    }

    /// All values of an integer type of at most 64 bits.
    pub fn of_type(ty: Type) -> Interval {
        let unused = 64 - ty.bits();
        Interval::new(i64::MIN >> unused, i64::MAX >> unused)
    }

    /// From 0 to the largest value of so many bits, at most 63.
    pub fn unsigned(bits: u32) -> Interval {
        Interval::new(0, i64::MAX >> (63 - bits))
    }

    pub fn is_empty(self) -> bool {
        self.lo > self.hi
    }

    pub fn constant(self) -> Option<i64> {
        (self.lo == self.hi).then_some(self.lo)
    }

    pub fn is_natural(self) -> bool {
        self.lo >= 0
    }

    pub fn contains(self, other: Interval) -> bool {
        other.is_empty() || (self.lo <= other.lo && other.hi <= self.hi)
    }

    pub fn join(self, other: Interval) -> Interval {
        Interval::new(self.lo.min(other.lo), self.hi.max(other.hi))
    }

    pub fn meet(self, other: Interval) -> Interval {
        Interval::new(self.lo.max(other.lo), self.hi.min(other.hi))
    }

    /// Sums, if none of them overflows a type.
    pub fn add(self, other: Interval, ty: Type) -> Option<Interval> {
        let lo = self.lo.checked_add(other.lo)?;
        within(lo, self.hi.checked_add(other.hi)?, ty)
    }

    pub fn sub(self, other: Interval, ty: Type) -> Option<Interval> {
        let lo = self.lo.checked_sub(other.hi)?;
        within(lo, self.hi.checked_sub(other.lo)?, ty)
    }

    pub fn mul(self, other: Interval, ty: Type) -> Option<Interval> {
        let corners = [
            self.lo.checked_mul(other.lo)?,
            self.lo.checked_mul(other.hi)?,
            self.hi.checked_mul(other.lo)?,
            self.hi.checked_mul(other.hi)?,
        ];
        let lo = corners.iter().min()?;
        within(*lo, *corners.iter().max()?, ty)
    }

    /// Those sums of 64 bits that do not overflow.
    pub fn add_saturating(self, other: Interval) -> Interval {
        Interval::new(
            self.lo.saturating_add(other.lo),
            self.hi.saturating_add(other.hi),
        )
    }

    pub fn sub_saturating(self, other: Interval) -> Interval {
        Interval::new(
            self.lo.saturating_sub(other.hi),
            self.hi.saturating_sub(other.lo),
        )
    }

    pub fn mul_saturating(self, other: Interval) -> Interval {
        let corners = [
            self.lo.saturating_mul(other.lo),
            self.lo.saturating_mul(other.hi),
            self.hi.saturating_mul(other.lo),
            self.hi.saturating_mul(other.hi),
        ];
        corners
            .into_iter()
            .map(Interval::exactly)
            .fold(Interval::EMPTY, Interval::join)
    }

    /// Signed quotients by divisors that are positive.
    pub fn div(self, divisor: Interval) -> Option<Interval> {
        if divisor.lo <= 0 {
            return None;
        }
        let by = |value: i64, lo: i64, hi: i64| if value < 0 { value / lo } else { value / hi };
        Some(Interval::new(
            by(self.lo, divisor.lo, divisor.hi),
            by(self.hi, divisor.hi, divisor.lo),
        ))
    }

    /// Signed remainders, which have the dividend's sign.
    pub fn rem(self, divisor: Interval) -> Option<Interval> {
        let (lo, hi) = (divisor.lo.checked_abs()?, divisor.hi.checked_abs()?);
        let most = lo.max(hi) - 1;
        if most < 0 {
            // A remainder by zero never comes about.
            return None;
        }
        Some(Interval::new(
            self.lo.clamp(-most, 0),
            self.hi.clamp(0, most),
        ))
    }

    pub fn and(self, other: Interval) -> Option<Interval> {
        match (self.is_natural(), other.is_natural()) {
            (true, true) => Some(Interval::new(0, self.hi.min(other.hi))),
            (true, false) => Some(Interval::new(0, self.hi)),
            (false, true) => Some(Interval::new(0, other.hi)),
            (false, false) => None,
        }
    }

    /// Of natural numbers, by `or` as well as by `xor`.
    pub fn or(self, other: Interval) -> Option<Interval> {
        (self.is_natural() && other.is_natural())
            .then(|| Interval::unsigned(64 - (self.hi | other.hi).leading_zeros()))
    }

    /// 64 bits shifted left by a constant, if none is lost.
    pub fn shift_left(self, by: u32) -> Option<Interval> {
        let (lo, hi) = (self.lo << by, self.hi << by);
        (lo >> by == self.lo && hi >> by == self.hi).then_some(Interval::new(lo, hi))
    }
}

fn within(lo: i64, hi: i64, ty: Type) -> Option<Interval> {
    let result = Interval::new(lo, hi);
    Interval::of_type(ty).contains(result).then_some(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cranelift_codegen::ir::types::{I8, I64};

    /// Every operation on small intervals holds all results, and nothing
    /// claims to be without overflow that is not.
    #[test]
    fn intervals_hold_all_results() {
        let ends = [
            i64::MIN,
            i64::MIN + 1,
            -129,
            -3,
            -2,
            -1,
            0,
            1,
            2,
            3,
            7,
            127,
            i64::MAX - 1,
            i64::MAX,
        ];
        let mut intervals = Vec::new();
        for (index, lo) in ends.iter().enumerate() {
            intervals.extend(ends[index..].iter().map(|hi| Interval::new(*lo, *hi)));
        }
        let members = |interval: Interval| {
            let inside = move |end: &&i64| interval.lo <= **end && **end <= interval.hi;
            ends.iter().filter(inside).copied().collect::<Vec<i64>>()
        };
        let holds = |interval: Option<Interval>, value: i64| {
            interval.is_none_or(|interval| interval.lo <= value && value <= interval.hi)
        };
        for a in &intervals {
            for b in &intervals {
                for x in members(*a) {
                    for y in members(*b) {
                        let sums = a.add(*b, I64);
                        assert!(holds(sums, x.wrapping_add(y)), "{a:?} + {b:?}");
                        assert!(sums.is_none() || x.checked_add(y).is_some());
                        let differences = a.sub(*b, I64);
                        assert!(holds(differences, x.wrapping_sub(y)), "{a:?} - {b:?}");
                        assert!(differences.is_none() || x.checked_sub(y).is_some());
                        let products = a.mul(*b, I64);
                        assert!(holds(products, x.wrapping_mul(y)), "{a:?} * {b:?}");
                        assert!(products.is_none() || x.checked_mul(y).is_some());
                        if let Some(sum) = x.checked_add(y) {
                            assert!(holds(Some(a.add_saturating(*b)), sum));
                        }
                        if let Some(difference) = x.checked_sub(y) {
                            assert!(holds(Some(a.sub_saturating(*b)), difference));
                        }
                        if let Some(product) = x.checked_mul(y) {
                            assert!(holds(Some(a.mul_saturating(*b)), product));
                        }
                        if let Some(quotient) = x.checked_div(y) {
                            assert!(holds(a.div(*b), quotient), "{a:?} / {b:?}: {x} / {y}");
                        }
                        if let Some(remainder) = x.checked_rem(y) {
                            assert!(holds(a.rem(*b), remainder), "{a:?} % {b:?}: {x} % {y}");
                        }
                        assert!(holds(a.and(*b), x & y), "{a:?} & {b:?}");
                        assert!(holds(a.or(*b), x | y), "{a:?} | {b:?}");
                        assert!(holds(a.or(*b), x ^ y), "{a:?} ^ {b:?}");
                        assert!(holds(Some(a.join(*b)), x));
                    }
                    assert!(holds(a.shift_left(3), x << 3));
                    assert!(members(a.meet(*b)).contains(&x) == members(*b).contains(&x));
                }
            }
        }
        assert_eq!(Interval::of_type(I8), Interval::new(-128, 127));
        assert_eq!(Interval::unsigned(8), Interval::new(0, 255));
        assert_eq!(Interval::unsigned(0), Interval::new(0, 0));
    }
}
