"""The demo: a made-up company between two stand-ins, from consent to posted invoices."""
