"""ingest: reads what Xero and Qonto hold, keeps their words, and says them in our form. It decides nothing."""
