"""Findings in the words of other tools, one module a format, made from a scored folder. Nobody acts here."""
