"""The only writer to Qonto: puts a bill's document there once, and reads back what Qonto made of it."""
