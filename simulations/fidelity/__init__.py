"""How close a log comes to real traces: figures, distances, tolerances and a picture."""
