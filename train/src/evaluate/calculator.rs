//! A calculator for equations that a model marks, such as `<<48-40=8>>`: where it writes the sign of equality, the result is written for it.
//!
//! Useful for: models that were tuned on solutions with such marks. Not useful for: others, which do not write them.
//!
//! Source: Cobbe et al. 2021 (GSM8K), appendix B.

/// Signs of an equation that are looked at, at most.
pub const LONGEST: usize = 100;

/// What stands between the sign of equality at a text's end and the end of the mark, if the text ends within one: the result and `>>`.
#[must_use]
pub fn result(text: &str) -> Option<String> {
    let equation = text.strip_suffix('=')?;
    let (_, equation) = equation.rsplit_once("<<")?;
    if equation.len() > LONGEST {
        return None;
    }
    let value = value(equation)?;
    Some(format!("{}>>", shown(value)))
}

/// A number as people write it: no more than six decimals, and none where it is whole.
fn shown(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The value of a sum with the four operations, powers of ten as `%`, and parentheses; none of what is no sum.
fn value(text: &str) -> Option<f64> {
    let signs: Vec<char> = text.chars().filter(|sign| !matches!(sign, ' ' | ',' | '$')).collect();
    let mut place = 0;
    let value = sum(&signs, &mut place, 0)?;
    (place == signs.len() && value.is_finite()).then_some(value)
}

/// Parentheses within parentheses, at most.
const DEEPEST: usize = 20;

fn sum(signs: &[char], place: &mut usize, depth: usize) -> Option<f64> {
    let mut value = product(signs, place, depth)?;
    while let Some(sign @ ('+' | '-')) = signs.get(*place) {
        *place += 1;
        let other = product(signs, place, depth)?;
        value = if *sign == '+' { value + other } else { value - other };
    }
    Some(value)
}

fn product(signs: &[char], place: &mut usize, depth: usize) -> Option<f64> {
    let mut value = factor(signs, place, depth)?;
    while let Some(sign @ ('*' | '/' | 'x' | '×' | '÷')) = signs.get(*place) {
        *place += 1;
        let other = factor(signs, place, depth)?;
        value = if matches!(sign, '/' | '÷') { value / other } else { value * other };
    }
    Some(value)
}

fn factor(signs: &[char], place: &mut usize, depth: usize) -> Option<f64> {
    let mut value = match signs.get(*place)? {
        '-' => {
            *place += 1;
            return Some(-factor(signs, place, depth)?);
        }
        '(' if depth < DEEPEST => {
            *place += 1;
            let value = sum(signs, place, depth + 1)?;
            if signs.get(*place) != Some(&')') {
                return None;
            }
            *place += 1;
            value
        }
        _ => {
            let rest = &signs[*place..];
            let length = rest.iter().take_while(|sign| sign.is_ascii_digit() || **sign == '.').count();
            *place += length;
            rest[..length].iter().collect::<String>().parse().ok()?
        }
    };
    while signs.get(*place) == Some(&'%') {
        *place += 1;
        value /= 100.0;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_equations_have_their_result() {
        for (text, expected) in [
            ("He has <<48-40=", Some("8>>")),
            ("<<6*8=48>> and <<(1+2)*3/2=", Some("4.5>>")),
            ("<<$1,200*25%=", Some("300>>")),
            ("<<1/3=", Some("0.333333>>")),
            ("<<-2--2=", Some("0>>")),
            ("<<2x3=", Some("6>>")),
            ("<<1/0=", None),
            ("<<a+1=", None),
            ("<<1+=", None),
            ("<<(1=", None),
            ("48-40=", None),
            ("<<48-40", None),
            ("<<48-40=8>>", None),
        ] {
            assert_eq!(result(text).as_deref(), expected, "{text}");
        }
        assert_eq!(result(&format!("<<{}1=", "(".repeat(60))), None);
        assert_eq!(result(&format!("<<{}=", "1+".repeat(90))), None);
    }
}
