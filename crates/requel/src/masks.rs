//! [`Masks`], which actions are allowed in each of several environments.

/// Action masks as plain data: one row per observation, with one flag per action, or no flags if all actions are allowed everywhere.
///
/// A flag is one byte, so that numpy's arrays of `bool` and bytes received over a network can be used as masks directly.
///
/// ```
/// use requel::agent::Masks;
///
/// let masks = Masks::new(&[true, false, false, true], 2);
/// assert_eq!(masks.row(1), Some(&[false, true][..]));
/// assert_eq!(Masks::ALL.row(1), None, "all are allowed");
/// assert_eq!(Masks::from_bytes(&[1, 0, 0, 1], 2), Some(masks));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks<'a> {
    flags: &'a [bool],
    actions: usize,
}

impl<'a> Masks<'a> {
    /// All actions are allowed everywhere.
    pub const ALL: Masks<'static> = Masks { flags: &[], actions: 0 };

    /// Masks with these flags, rows × actions; without flags, all actions are allowed.
    ///
    /// # Panics
    /// If the flags do not divide into rows.
    pub fn new(flags: &'a [bool], actions: usize) -> Self {
        assert!(
            are_whole_rows(flags.len(), actions),
            "{} flags do not divide into masks of {actions} \
                                                       actions",
            flags.len()
        );
        Masks { flags, actions }
    }

    /// The same from bytes that are 0 for an action that is not allowed and 1 for one that is. `None` if a byte has another value, or they
    /// do not divide into rows.
    pub fn from_bytes(bytes: &'a [u8], actions: usize) -> Option<Self> {
        let flags = bytemuck::checked::try_cast_slice(bytes).ok()?;
        are_whole_rows(flags.len(), actions).then_some(Masks { flags, actions })
    }

    /// Which actions are allowed in a row; `None`: all.
    ///
    /// # Panics
    /// If there are flags, but no such row.
    pub fn row(&self, row: usize) -> Option<&'a [bool]> {
        if self.flags.is_empty() { None } else { Some(&self.flags[row * self.actions..][..self.actions]) }
    }

    /// All flags, rows × actions; empty if all actions are allowed.
    pub fn flags(&self) -> &'a [bool] {
        self.flags
    }
}

impl<'a> From<Option<&'a [bool]>> for Masks<'a> {
    /// The mask of a single row; `None`: all are allowed.
    fn from(mask: Option<&'a [bool]>) -> Self {
        mask.map_or(Masks::ALL, |flags| Masks { flags, actions: flags.len() })
    }
}

fn are_whole_rows(flags: usize, actions: usize) -> bool {
    flags == 0 || actions > 0 && flags.is_multiple_of(actions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_flags_or_no_rows_are_refused() {
        assert_eq!(Masks::from_bytes(&[0, 1, 2, 1], 2), None);
        assert_eq!(Masks::from_bytes(&[0, 1, 1], 2), None);
        assert_eq!(Masks::from_bytes(&[1], 0), None);
        assert_eq!(Masks::from_bytes(&[], 2).and_then(|masks| masks.row(5)), None);
        assert!(std::panic::catch_unwind(|| Masks::new(&[true; 3], 2)).is_err());
    }
}
