session {
  max_duration = "1h
}
