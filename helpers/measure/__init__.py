"""What the course measures: signals, Jacobians, overflow, clipping, gates."""

from helpers.measure.cliff import (
    Descent,
    descend,
    error_and_gradient,
    surface,
)
from helpers.measure.clipping import (
    Clipped,
    choose_threshold,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    clip_per_tensor,
    global_norm,
)
from helpers.measure.far import forward_signal, log_signal
from helpers.measure.gates import (
    Gates,
    JacobianTerms,
    gate_values,
    jacobian_terms,
    update_term,
    way_sizes,
    written,
)
from helpers.measure.jacobians import (
    NON_NORMAL,
    log_factors,
    log_product_norms,
    power_norms,
    slopes,
    spectral_radius,
    step_jacobian,
    step_jacobians,
)
from helpers.measure.mean_field import critical_gain, mean_field_factor
from helpers.measure.noise import agreement
from helpers.measure.nonfinite import (
    NonFinite,
    find_nonfinite,
    first_inf,
    first_nonfinite,
    first_nonfinite_backward,
    nonfinite_tensors,
)
from helpers.measure.overflow import (
    Prediction,
    Underflow,
    measured_overflow_step,
    measured_underflow,
    number_range,
    overflow_step,
)
from helpers.measure.phase_map import (
    backward_factors,
    critical_curve,
    measured_factors,
    measured_map,
    theory_map,
)
from helpers.measure.signal import (
    bptt_step,
    shares,
    signal,
    term_norms,
    terms_by_step,
)
