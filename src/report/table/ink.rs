//! The colours and styles of text, chosen so that it is readable on every background.

use anstyle::{Ansi256Color, Style};

/// The style of a piece of text.
///
/// No text on the terminal's own background is coloured: none of the 256 colours has a contrast of 4.5:1 (WCAG 2.2,
/// 1.4.3) both on the black of Windows Terminal or GNOME and on white. Important text is bold, or a word on a
/// background of its own. No text is faint, because Windows Terminal halves its brightness. Both colours of a word are
/// among the 240 that are the same in every terminal; the user defines the first 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Strong,
    /// Less important text, in the terminal's normal style. Layout and words distinguish it.
    Dim,
    Good,
    Low,
    Medium,
    High,
    Critical,
}

const WHITE: Ansi256Color = Ansi256Color(231);
const BLACK: Ansi256Color = Ansi256Color(16);

impl Ink {
    /// Returns the style for a word: a severity, a state.
    pub(super) fn style(self) -> Style {
        let on = |letters: Ansi256Color, ground: u8| {
            Style::new().bold().fg_color(Some(letters.into())).bg_color(Some(Ansi256Color(ground).into()))
        };
        match self {
            Self::Plain | Self::Dim => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Good => on(WHITE, 22),
            Self::Low => on(WHITE, 25),
            Self::Medium => on(BLACK, 220),
            Self::High => on(WHITE, 124),
            Self::Critical => on(WHITE, 90),
        }
    }

    /// Returns the style for sentences, where a background would be too heavy: bold for a problem, otherwise plain. The
    /// words state which it is.
    pub(super) fn of_sentence(self) -> Self {
        match self {
            Self::Medium | Self::High | Self::Critical | Self::Strong => Self::Strong,
            Self::Plain | Self::Dim | Self::Good | Self::Low => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use anstyle::{Color, Effects};

    use super::*;

    const INKS: [Ink; 8] =
        [Ink::Plain, Ink::Strong, Ink::Dim, Ink::Good, Ink::Low, Ink::Medium, Ink::High, Ink::Critical];

    /// Returns a colour of xterm's colour cube or greys (256colres.pl), which all terminals share.
    fn rgb(index: u8) -> [u8; 3] {
        const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        match index {
            16..232 => [36, 6, 1].map(|step| LEVELS[usize::from((index - 16) / step % 6)]),
            232.. => [8 + 10 * (index - 232); 3],
            _ => panic!("{index}: a colour that the user chooses"),
        }
    }

    /// Returns the contrast ratio: WCAG 2.2, relative luminance and contrast ratio.
    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let light = |rgb: [u8; 3]| 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]) + 0.05;
        let (one, other) = (light(one), light(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.001);
        assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_ink_can_be_read_on_every_background() {
        for ink in INKS {
            let style = ink.style();
            assert!(!style.get_effects().contains(Effects::DIMMED), "{ink:?}");
            match (style.get_fg_color(), style.get_bg_color()) {
                (None, None) => {}
                (Some(Color::Ansi256(letters)), Some(Color::Ansi256(ground))) => {
                    let ratio = contrast(rgb(letters.0), rgb(ground.0));
                    assert!(ratio >= 4.5, "{ink:?}: {ratio:.2}");
                }
                colours => panic!("{ink:?}: {colours:?} depends on the terminal"),
            }
        }
    }

    /// The reason why words have a background. Tested are the dark ones of xterm, Windows Terminal (Campbell), and
    /// GNOME, and white.
    #[test]
    fn no_colour_can_be_read_on_all_dark_and_light_backgrounds() {
        let grounds = [[0; 3], [0x0c; 3], [0x1e; 3], [255; 3]];
        let readable = |index: &u8| grounds.iter().all(|ground| contrast(rgb(*index), *ground) >= 4.5);
        assert_eq!((16..=255).find(readable), None);
    }

    #[test]
    fn severities_differ_from_each_other() {
        for (at, one) in INKS.iter().enumerate().skip(3) {
            assert!(INKS.iter().skip(at + 1).all(|other| other.style() != one.style()), "{one:?}");
        }
    }
}
