// SPDX-License-Identifier: Apache-2.0
// rest and rests.
#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {

Scheme rest_scheme() {
    RestKind kind;
    kind.names = {"rest", "rests"};
    kind.family = "rest";
    kind.title = "REST";
    kind.help =
        "Calls of a REST API with bodies as values in JSON, YAML, XML and other formats. A ping opens a connection (with TLS for rests), or sends a "
        "request where "
        "ping_method and ping_path are set. With oauth2_grant_type its requests have tokens.";
    kind.example_url = "rests://user:password@api.example.com/v1";
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
