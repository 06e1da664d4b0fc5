//! Least squares with a penalty on large coefficients (Hoerl and Kennard 1970).

/// `intercept + coefficients . features`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    pub intercept: f64,
    pub coefficients: Vec<f64>,
}

impl Linear {
    /// Fits features to targets by ridge regression on features of mean 0 and deviation 1.
    ///
    /// - `features`: a row for each target
    /// - `ridge`: what the squares of coefficients are multiplied by, for each row
    pub fn fit(features: &[Vec<f64>], targets: &[f64], ridge: f64) -> Self {
        let count = features.len() as f64;
        let width = features.first().map_or(0, Vec::len);
        let mean = |column: &dyn Fn(&Vec<f64>) -> f64| features.iter().map(column).sum::<f64>() / count;
        let means: Vec<f64> = (0..width).map(|column| mean(&|row| row[column])).collect();
        let scale = |column: usize| {
            let variance = mean(&|row| (row[column] - means[column]).powi(2));
            // what is the same in all rows says nothing
            if variance > 1e-18 { variance.sqrt() } else { f64::INFINITY }
        };
        let scales: Vec<f64> = (0..width).map(scale).collect();
        let target_mean = targets.iter().sum::<f64>() / count;
        let mut gram = vec![0.0; width * width];
        let mut products = vec![0.0; width];
        let mut row_scaled = vec![0.0; width];
        for (row, target) in features.iter().zip(targets) {
            for column in 0..width {
                row_scaled[column] = (row[column] - means[column]) / scales[column];
            }
            for one in 0..width {
                products[one] += row_scaled[one] * (target - target_mean);
                for other in 0..=one {
                    gram[one * width + other] += row_scaled[one] * row_scaled[other];
                }
            }
        }
        for column in 0..width {
            gram[column * width + column] += ridge * count + 1e-9 * count;
        }
        solve(&mut gram, width, &mut products);
        let coefficients: Vec<f64> = products.iter().zip(&scales).map(|(own, scale)| own / scale).collect();
        let intercept = target_mean - coefficients.iter().zip(&means).map(|(own, mean)| own * mean).sum::<f64>();
        Self { intercept, coefficients }
    }

    pub fn predict(&self, features: &[f64]) -> f64 {
        self.intercept + self.coefficients.iter().zip(features).map(|(own, feature)| own * feature).sum::<f64>()
    }
}

/// Solves a positive definite system by Cholesky's factors; `matrix` is read below its diagonal.
fn solve(matrix: &mut [f64], width: usize, right: &mut [f64]) {
    for column in 0..width {
        for row in column..width {
            let mut sum = matrix[row * width + column];
            for inner in 0..column {
                sum -= matrix[row * width + inner] * matrix[column * width + inner];
            }
            matrix[row * width + column] =
                if row == column { sum.max(1e-30).sqrt() } else { sum / matrix[column * width + column] };
        }
    }
    for row in 0..width {
        let mut sum = right[row];
        for inner in 0..row {
            sum -= matrix[row * width + inner] * right[inner];
        }
        right[row] = sum / matrix[row * width + row];
    }
    for row in (0..width).rev() {
        let mut sum = right[row];
        for inner in row + 1..width {
            sum -= matrix[inner * width + row] * right[inner];
        }
        right[row] = sum / matrix[row * width + row];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_and_a_column_that_never_changes_says_nothing() {
        let features: Vec<Vec<f64>> = (0..20).map(|row| vec![f64::from(row), 3.0, f64::from(row * row % 7)]).collect();
        let targets: Vec<f64> = features.iter().map(|row| 2.0 - 0.5 * row[0] + 4.0 * row[2]).collect();
        let fitted = Linear::fit(&features, &targets, 0.0);
        assert!(
            (fitted.coefficients[0] + 0.5).abs() < 1e-6 && (fitted.coefficients[2] - 4.0).abs() < 1e-6,
            "{fitted:?}"
        );
        assert!(
            fitted.coefficients[1].abs() < 1e-9 && (fitted.predict(&[1.0, 3.0, 2.0]) - 9.5).abs() < 1e-6,
            "{fitted:?}"
        );
    }
}
