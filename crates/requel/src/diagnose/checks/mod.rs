//! The checks, one in a file, each a pure function of [`Evidence`](super::Evidence). `docs/diagnose.md` says where each comes from.

pub mod best_by_luck;
pub mod clipped_gradients;
pub mod clipped_targets;
pub mod collapse;
pub mod evaluation_cut;
pub mod exploration;
pub mod feature_scale;
pub mod horizon;
pub mod importance_schedule;
pub mod learning_rate;
pub mod network_size;
pub mod no_progress;
pub mod noise;
pub mod one_action;
pub mod priorities;
pub mod rank;
pub mod replay_ratio;
pub mod replay_size;
pub mod reward_scale;
pub mod support;
pub mod target_schedule;
pub mod units;
pub mod update_ratio;
pub mod updates;
pub mod value_bound;
pub mod value_growth;
