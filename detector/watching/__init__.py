"""A log followed while it grows: profiles stay open, each finding is told once, no kill loses or doubles one."""
