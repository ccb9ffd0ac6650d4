"""What a process tells about itself over gRPC: `status.proto`, and the code made from it.

Made with `python -m libs.runtime.proto`, which a test holds to what lies here.
"""
