//! A bounds-checked front of the `gemm` crate's single-threaded f32 product.

/// A read-only matrix over a slice, with free strides: a transposed or column-sliced view costs nothing.
#[derive(Clone, Copy)]
pub struct MatrixView<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> MatrixView<'a> {
    /// A row-major `[rows, cols]` matrix whose rows lie `row_stride` values apart.
    ///
    /// # Panics
    /// Where `data` ends before the last element.
    pub fn new(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        let needed = if rows == 0 || cols == 0 { 0 } else { (rows - 1) * row_stride + cols };
        assert!(data.len() >= needed, "a [{rows}, {cols}] view needs {needed} values, got {}", data.len());
        MatrixView { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transposed view, `[cols, rows]`.
    pub fn transposed(self) -> Self {
        MatrixView {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }
}

/// `out = a · b`, or `out += a · b` with `accumulate`; `out` is row-major with rows `out_stride` values apart.
///
/// One thread: the trainer is parallel over sequences, where nothing has to wait for anything.
///
/// # Panics
/// Where the inner sizes differ or `out` is too short.
pub fn matmul(out: &mut [f32], out_stride: usize, accumulate: bool, a: MatrixView<'_>, b: MatrixView<'_>) {
    assert_eq!(a.cols, b.rows, "inner sizes of a product");
    let (rows, cols) = (a.rows, b.cols);
    if rows == 0 || cols == 0 {
        return;
    }
    assert!(out_stride >= cols && out.len() >= (rows - 1) * out_stride + cols, "output of a [{rows}, {cols}] product");
    // SAFETY: `MatrixView::new` and the assertion above bound every element that a [rows, inner] × [inner, cols] product
    // with these strides reads or writes; `out` is a unique borrow, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            rows,
            cols,
            a.cols,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strided_and_transposed_views_multiply_as_written() {
        // a is the middle column pair of a [3, 4] matrix, b the transpose of a [2, 2] one.
        let a: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let b = [1.0, 2.0, 3.0, 4.0];
        let mut out = vec![100.0; 8];
        let view = MatrixView::new(&a[1..], 3, 2, 4);
        matmul(&mut out, 3, true, view, MatrixView::new(&b, 2, 2, 2).transposed());
        let expected = [105.0, 111.0, 100.0, 117.0, 139.0, 100.0, 129.0, 167.0];
        assert_eq!(out, expected);
    }

    #[test]
    #[should_panic(expected = "needs")]
    fn a_view_past_its_slice_is_refused() {
        MatrixView::new(&[0.0; 5], 2, 3, 3);
    }
}
