"""Xero, read only: the client, the shapes of its answers, and a stand-in server to run against."""
