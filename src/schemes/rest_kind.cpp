// SPDX-License-Identifier: Apache-2.0
#include "schemes/rest_kind.hpp"

#include <utility>

#include <qconn/http/oauth2.hpp>

#include "auth/token_end.hpp"
#include "auth/token_request.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "rest/body.hpp"
#include "schemes/http_address.hpp"
#include "schemes/http_scheme.hpp"
#include "schemes/swagger.hpp"
#include "schemes/token_log_in.hpp"

namespace qconn::schemes {
namespace {

/// A body as it came from a command line: JSON text of a map or list is read, any other text stays what it is.
Value body_of(const Map& arguments, const OperationSpec& spec) {
    if (const Value* body = arguments.find("body")) {
        if (!body->is_string()) return *body;
        const std::string_view text = body->as_string();
        const auto first = text.find_first_not_of(" \t\r\n");
        if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return *body;
        return json::decode(text).value();
    }
    Map fields;
    for (const auto& [name, value] : arguments) {
        bool declared = false;
        for (const auto& argument : spec.arguments) declared = declared || argument.name == name;
        if (!declared) fields.set(name, value);
    }
    return fields.empty() ? Value{} : Value{std::move(fields)};
}

OperationSpec http_verb(const char* name, const char* method, const char* help, bool with_body) {
    OperationSpec spec;
    spec.name = name;
    spec.help = help;
    spec.arguments.push_back({"path", OptionType::string, true, "joined to the path of the URL; a query may follow"});
    if (with_body) {
        spec.arguments.push_back({"body", OptionType::any, false, "JSON; without it the further KEY=VALUE make a map"});
        spec.free_fields = true;
    }
    const OperationSpec declared = spec;
    spec.run = [method, with_body, declared](Client& client, const Map& arguments, Deadline deadline) {
        RestCall call;
        call.method = method;
        call.path = text_argument(arguments, "path");
        if (with_body) call.body = body_of(arguments, declared);
        return dynamic_cast<RestClient&>(client).call(call, deadline).body;
    };
    return spec;
}

std::vector<OperationSpec> rest_operations() {
    return {http_verb("get", "GET", "GET a path; the decoded body", false), http_verb("post", "POST", "POST a body to a path", true),
            http_verb("put", "PUT", "PUT a body to a path", true), http_verb("patch", "PATCH", "PATCH a path with a body", true),
            http_verb("delete", "DELETE", "DELETE a path", true)};
}

/// A kind with its table made.
struct Made {
    explicit Made(RestKind given) : kind{std::move(given)} {
        add_rest_options(table);
        if (kind.options) kind.options(table);
        if (kind.oauth2) {
            OptionSpec& grant = table.at("oauth2_grant_type");
            grant.fallback = {};
            grant.fallback_text = "what the other options are good for";
        }
    }

    RestKind kind;
    RestTable table;
};

RestSettings settings_of(const Made& made, const ResolvedDefinition& definition) {
    const RestKind& kind = made.kind;
    RestSettings settings;
    made.table.apply(definition.options, settings);
    set_address(settings, definition);
    if (kind.oauth2) {
        const OAuth2Defaults defaults = kind.oauth2(Given{definition});
        if (option_of(definition, "oauth2_grant_type").is_null()) settings.oauth2.grant = defaults.grant;
        settings.oauth2.public_client = defaults.knows("oauth2_client_secret");
    }
    try {
        if (kind.complete) kind.complete(settings, definition);
    } catch (Error& error) { throw error.with_connection(definition.name); }
    set_oauth2(settings.oauth2, settings);
    return settings;
}

std::optional<PingCall> call_of(const Made& made, const ResolvedDefinition& definition, const RestSettings& settings) {
    std::optional<PingCall> call = ping_call(definition, settings);
    if (!call && made.kind.ping) call = made.kind.ping(definition);
    return call;
}

/// How clients and pings are made: those of connections with a grant get their tokens from one source, clients a description of the API.
void set_makers(Scheme& scheme, const std::shared_ptr<const Made>& made) {
    const auto sources = std::make_shared<TokenSources>();
    const auto source_of = [sources, made](const RestSettings& settings, const ResolvedDefinition& definition, const Runtime& runtime) {
        const auto send = [&] {
            SendForm plain = form_sender(settings, runtime);
            return made->kind.log_in ? made->kind.log_in(std::move(plain), settings, definition, runtime) : plain;
        };
        return sources->get(definition, settings.oauth2, send, runtime);
    };
    const auto authorize = [source_of](RestSettings& settings, const ResolvedDefinition& definition, const Runtime& runtime) {
        if (settings.authenticator) return true;
        if (settings.oauth2.grant == OAuth2Grant::none) return false;
        settings.authenticator = oauth2_authenticator(source_of(settings, definition, runtime), settings.token_use);
        return true;
    };
    scheme.make_client = [made, authorize](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        RestSettings settings = settings_of(*made, definition);
        authorize(settings, definition, runtime);
        settings.validator = document_of(definition);
        return std::make_shared<RestClient>(std::move(settings), runtime);
    };
    scheme.make_ping = [made, source_of, authorize](const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) {
        RestSettings settings = settings_of(*made, definition);
        set_default_header(settings, "Accept", std::string{rest::k_accept});  // as calls do: there are servers that look at it
        const std::optional<PingCall> call = call_of(*made, definition, settings);
        const bool automatic = pings_automatically(definition);
        const bool with_token = depth == PingDepth::auth || depth == PingDepth::full || (depth == PingDepth::standard && call && automatic);
        const std::shared_ptr<const TokenSource> by_person = settings.oauth2.grant != OAuth2Grant::none && !auth::can_log_in(settings.oauth2.grant)
                                                                 ? source_of(settings, definition, runtime)
                                                                 : nullptr;
        PingPlan plan = with_token && authorize(settings, definition, runtime) ? make_authorized_ping(settings, depth, call, runtime)
                                                                               : make_ping_plan(settings, depth, call, automatic);
        if (by_person) plan.credentials = [by_person] { return tokens_ending(*by_person); };
        return plan;
    };
}

}  // namespace

Given::Given(const Definition& definition) : options_{definition.options}, url_{url_of(definition)} {}
Given::Given(const ResolvedDefinition& definition) : options_{definition.options}, url_{definition.url} {}

bool Given::has(std::string_view option) const {
    const Value* value = options_.find(option);
    return value != nullptr && !value->is_null();
}

Scheme rest_kind(RestKind kind) {
    const auto made = std::make_shared<const Made>(std::move(kind));
    Scheme scheme;
    scheme.names = made->kind.names;
    scheme.family = made->kind.family;
    for (const std::string& name : scheme.names) scheme.default_ports[name] = name.ends_with('s') ? 443 : 80;
    scheme.sharing = Sharing::parallel;
    scheme.standard_depth = PingDepth::tls;
    scheme.title = made->kind.title;
    scheme.help = made->kind.help;
    scheme.example_url = made->kind.example_url;
    scheme.options = made->table.specs();
    scheme.required = made->kind.required;
    scheme.clients = client_types<RestClient, HttpClient>({"RestClient", "HttpClient"});
    scheme.operations = rest_operations();
    for (const OperationSpec& more : made->kind.operations) scheme.operations.push_back(more);
    scheme.operations_of = described_operations;
    set_makers(scheme, made);
    scheme.check = [made](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        const OAuth2Defaults oauth2 = made->kind.oauth2 ? made->kind.oauth2(Given{definition}) : OAuth2Defaults{};
        check_http(definition, findings, is_set(definition, "oauth2_grant_type") ? grant_of(definition) : oauth2.grant);
        check_swagger(definition, findings);
        check_oauth2(definition, oauth2, findings);
        check_ping_options(definition, findings);
        if (made->kind.check) made->kind.check(definition, findings);
    };
    return scheme;
}

void add_base_path(RestSettings& settings, std::string_view path) {
    std::string& url = settings.url;
    while (url.ends_with('/')) url.pop_back();
    if (!url.ends_with(path)) url.append(path);
}

void set_default_header(RestSettings& settings, std::string_view name, std::string value) {
    if (settings.headers.find(name) == nullptr) settings.headers.set(name, std::move(value));
}

void add_client_id_options(RestTable& table, std::string_view of_what) {
    const std::string what{of_what};
    OptionSpec& id = table.add("client_id", OptionType::string, "Id of the client: " + what,
                               [](RestSettings& s, const Value& v) { s.oauth2.client_id = v.as_string(); });
    id.example = "qconn";
    OptionSpec& secret = table.add("client_secret", OptionType::string, "Secret of the client: " + what,
                                   [](RestSettings& s, const Value& v) { s.oauth2.client_secret = Secret{v.as_string()}; });
    secret.sensitive = true;
    secret.example = "${env:CLIENT_SECRET}";
    table.remove("oauth2_client_id");
    table.remove("oauth2_client_secret");
}

void take_json_only(RestTable& table) {
    OptionSpec& data = table.at("data");
    data.help = "How bodies are written: this API takes JSON only";
    data.allowed = {{Value{"json"}, {}}};
    data.fallback = "json";
    data.example = "json";
}

void compress_by_default(RestTable& table) {
    OptionSpec& coding = table.at("send_encoding");
    coding.fallback = "gzip";
    coding.fallback_text.clear();
    coding.example = "identity";
}

}  // namespace qconn::schemes
