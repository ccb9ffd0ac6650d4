"""HTTP in: the tools, the authorization server's endpoints, and what stands between a bearer token and a tool."""
