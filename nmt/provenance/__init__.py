"""Where an engine comes from, signed with the team's own key, and checked before it is served."""
