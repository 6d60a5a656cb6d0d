// SPDX-License-Identifier: Apache-2.0
// sewiorest and sewiorests: the REST API of Sewio RTLS Studio.
#include "schemes/api_key.hpp"
#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {

Scheme sewiorest_scheme() {
    RestKind kind;
    kind.names = {"sewiorest", "sewiorests"};
    kind.family = "sewio";
    kind.title = "Sewio RTLS Studio";
    kind.help = "The REST API of Sewio RTLS Studio. Each request has the key of the API as X-ApiKey; bodies are JSON. A ping opens a connection.";
    kind.example_url = "sewiorests://rtls.example.com/sensmapserver/api";
    kind.options = [](RestTable& table) {
        add_api_key_option(table);
        take_json_only(table);
        compress_by_default(table);
    };
    kind.required = {{{{"apikey"}}}};
    kind.complete = [](RestSettings& settings, const ResolvedDefinition& definition) { set_api_key(settings, definition, "X-ApiKey"); };
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
