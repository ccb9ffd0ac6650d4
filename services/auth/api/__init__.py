"""Auth for browsers: sign in, connect and disconnect a provider, answer for an MCP client.

```
GET  /sign-in?ticket=T                     a session cookie, then home, or where the link was made for
GET  /connect/{xero|qonto}                 to the provider's page; `return_to=/path` comes back there; Qonto's
                                           `bank_matching=on|off` asks for one scope more, or no longer
GET  /connect/{xero|qonto}/callback        what was granted, in plain words, or which organisation is meant
POST /connect/{xero|qonto}/choice          the organisation that was chosen
GET  /connections                          what is connected
POST /connections/{xero|qonto}/disconnect  ends one
GET  /consents/mcp?request=R               the consent page of an MCP client
POST /consents/mcp                         its answer
```

Every error is a small page with a sentence and a status: 400 it does not fit, 403 no session, 404, 503 later. Whoever
asks with `Accept: application/json` gets connections, their end, and any error in JSON.
"""
