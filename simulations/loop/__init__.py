"""The closed loop: a world goes on, a defender looks and acts, attackers react. The truth is the tally's."""
