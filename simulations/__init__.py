"""Make logs, run the closed loop, keep the truth, measure detectors."""
