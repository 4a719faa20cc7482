//! [`fingerprint`], which identifies runs of one config.

use crate::config::Config;

/// Sixteen hexadecimal digits that identify a config without its seed, and this version of requel: if two are equal, the same seed gives
/// the same bits.
pub fn fingerprint(config: &Config) -> String {
    let mut config = config.clone();
    config.train.seed = 0;
    // The preset is only a label.
    config.preset.clear();
    // Settings that affect no result.
    config.train.device = Config::default().train.device;
    let text = toml::to_string(&config).expect("a config is TOML");
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(b"\n");
    hasher.update(text.as_bytes());
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_but_seed_label_and_device_counts() {
        let mut config = Config::default();
        let first = fingerprint(&config);
        (config.train.seed, config.preset) = (9, "another".into());
        config.train.device = "cuda:1".into();
        assert_eq!(fingerprint(&config), first);
        config.agent.gamma = 0.5;
        assert_ne!(fingerprint(&config), first);
        assert_eq!(first.len(), 16);
    }
}
