//! Published numbers for what a configuration does not say.
//!
//! ```text
//! preset = "flan" -> the defaults of that preset -> the file, with these for whatever it and the settings leave out
//! ```
//!
//! Useful for: whole configurations, by the key `preset` at the root. Not useful for: presets of one table, such as those of `[model]`.

use schemas::toml_file::{Defaults, Setting, TomlFile};
use serde::{Deserialize, de::DeserializeOwned};

use crate::error::Result;

/// The key that names a preset.
pub(super) const KEY: &str = "preset";

/// The file with defaults by the preset that it names.
///
/// - `defaults`: those of a preset
///
/// # Errors
/// When there is no such preset: at the key, with those that there are.
pub(super) fn with_preset<P: DeserializeOwned>(
    file: TomlFile,
    settings: &[Setting],
    defaults: impl FnOnce(P) -> Defaults,
) -> Result<TomlFile> {
    #[derive(Deserialize)]
    struct Named<P> {
        preset: Option<P>,
    }
    // a table that another setting is in may be one that only the preset has
    let naming: Vec<Setting> = settings.iter().filter(|setting| setting.key == [KEY]).cloned().collect();
    let Named { preset } = file.parse(&naming)?;
    Ok(match preset.map(defaults) {
        Some(defaults) => file.with_defaults(defaults),
        None => file,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }

    /// A setting may be in a table that only the preset has, and may name the preset; one that is none is refused at its place.
    #[test]
    fn settings_and_presets_go_together() {
        let read = |text: &str, settings: &[&str]| {
            let settings: Vec<Setting> =
                settings.iter().map(|setting| setting.parse().expect("it is a setting")).collect();
            let defaults = |colour: Colour| {
                let text = match colour {
                    Colour::Red => "[light]\nwavelength = 650\n",
                    Colour::Green => "[light]\nwavelength = 530\npower = 2\n",
                };
                Defaults { text, alternatives: &[] }
            };
            let file = with_preset(TomlFile::from_text("a.toml", text), &settings, defaults)?;
            let json: Value = file.parse(&settings)?;
            Ok::<_, crate::error::Error>([json["light"]["wavelength"].clone(), json["light"]["power"].clone()])
        };
        let fault = |text: &str, settings: &[&str]| read(text, settings).expect_err("it is refused").to_string();
        let green = read("preset = \"green\"", &["light.power=3"]).expect("there is such a table");
        assert_eq!(green, [530, 3]);
        let red = read("preset = \"green\"", &["light.power=3", "preset=red"]).expect("there is such a preset");
        assert_eq!(red, [650, 3]);
        // a table that nothing has is made, and the configuration's type says whether there may be one
        assert_eq!(read("", &["light.power=3"]).expect("it is a table"), [Value::Null, Value::from(3)]);
        let none = fault("", &["light.bulb.power=3"]);
        assert!(none.contains("--set light.bulb.power=3: there is no table `bulb`"), "{none}");
        let blue = fault("preset = \"blue\"", &["light.power=3"]);
        assert!(blue.contains("a.toml:1:10: unknown variant `blue`, expected `red` or `green`"), "{blue}");
        let blue = fault("preset = \"red\"", &["preset=blue"]);
        assert!(blue.contains("--set preset=blue: unknown variant `blue`"), "{blue}");
    }
}
