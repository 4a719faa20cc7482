//! [`ScalarHead`]: network outputs as the expected return of each action.

use requel_nn::Loss;

/// One output per action, its expected return: turns a batch's outputs and targets into a loss and its gradient.
#[derive(Clone, Debug)]
pub struct ScalarHead {
    loss: Loss,
    errors: Vec<f32>,
    d_errors: Vec<f32>,
}

impl ScalarHead {
    /// For batches of `rows` rows.
    pub fn new(loss: Loss, rows: usize) -> Self {
        ScalarHead { loss, errors: vec![0.0; rows], d_errors: vec![0.0; rows] }
    }

    /// The mean loss of q(s, a) against `targets` and the mean q(s, a); `d_outputs` gets the gradient with the targets
    /// held constant, zero for the actions that were not taken. `outputs` and `d_outputs` are rows × actions.
    pub fn loss(&mut self, outputs: &[f32], actions: &[u32], targets: &[f32], d_outputs: &mut [f32]) -> (f32, f32) {
        let rows = actions.len();
        assert_eq!((targets.len(), self.errors.len()), (rows, rows), "one target per action taken");
        assert_eq!(outputs.len(), d_outputs.len(), "one gradient per output");
        let width = outputs.len() / rows;

        let mut q_sum = 0.0f32;
        for (row, (action, target)) in actions.iter().zip(targets).enumerate() {
            let q = outputs[row * width + *action as usize];
            q_sum += q;
            self.errors[row] = q - target;
        }
        let loss = self.loss.mean(&self.errors, &mut self.d_errors);
        d_outputs.fill(0.0);
        for (row, action) in actions.iter().enumerate() {
            d_outputs[row * width + *action as usize] = self.d_errors[row];
        }
        (loss, q_sum / rows as f32)
    }

    /// ∂loss/∂(q(s, a) − target) of each row of the last [`ScalarHead::loss`].
    pub fn d_errors(&self) -> &[f32] {
        &self.d_errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_table() {
        let mut head = ScalarHead::new(Loss::Mse, 2);
        let mut d_outputs = [9.0; 6];
        // errors: 2 − 1 = 1 and 4 − 6 = −2; loss (1 + 4)/2; gradient 2·error/2.
        let (loss, q) = head.loss(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1, 0], &[1.0, 6.0], &mut d_outputs);
        assert_eq!((loss, q), (2.5, 3.0));
        assert_eq!(d_outputs, [0.0, 1.0, 0.0, -2.0, 0.0, 0.0]);
        let mut head = ScalarHead::new(Loss::Huber { delta: 1.0 }, 2);
        // Huber: ½·1² and 1·(2 − ½); gradients 1/2 and −1/2.
        let (loss, _) = head.loss(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1, 0], &[1.0, 6.0], &mut d_outputs);
        assert_eq!(loss, 1.0);
        assert_eq!(d_outputs, [0.0, 0.5, 0.0, -0.5, 0.0, 0.0]);
    }
}
