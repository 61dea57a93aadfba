"""What the course measures: signals, Jacobians, overflow, clipping, gates."""

from helpers.measure.cliff import descend, error_and_gradient, surface
from helpers.measure.clipping import (
    choose_threshold,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    clip_per_tensor,
    global_norm,
)
from helpers.measure.gates import gate_values, jacobian_terms, update_term, way_sizes, written
from helpers.measure.jacobians import (
    log_factors,
    power_norms,
    slopes,
    spectral_radius,
    step_jacobian,
    step_jacobians,
)
from helpers.measure.mean_field import (
    critical_curve,
    critical_gain,
    mean_field_factor,
    measured_map,
    theory_map,
)
from helpers.measure.nonfinite import find_nonfinite, first_inf
from helpers.measure.overflow import (
    measured_overflow_step,
    measured_underflow,
    number_range,
    overflow_step,
)
from helpers.measure.signal import (
    agreement,
    bptt_step,
    forward_signal,
    log_signal,
    signal,
    term_norms,
)
