"""What two services need: contracts, log, bus, clients of providers. Nothing here decides for a customer."""
