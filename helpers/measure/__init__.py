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
from helpers.measure.far import forward_signal, log_signal
from helpers.measure.gates import gate_values, jacobian_terms, update_term, way_sizes, written
from helpers.measure.jacobians import (
    log_factors,
    power_norms,
    slopes,
    spectral_radius,
    step_jacobian,
    step_jacobians,
)
from helpers.measure.mean_field import critical_gain, mean_field_factor
from helpers.measure.noise import agreement
from helpers.measure.nonfinite import find_nonfinite, first_inf
from helpers.measure.overflow import (
    measured_overflow_step,
    measured_underflow,
    number_range,
    overflow_step,
)
from helpers.measure.phase_map import critical_curve, measured_map, theory_map
from helpers.measure.signal import bptt_step, signal, term_norms
