// SPDX-License-Identifier: Apache-2.0
// sfrests: the REST API of Salesforce.
#include <memory>
#include <string>
#include <utility>

#include <qconn/http/http_client.hpp>
#include <qconn/http/oauth2.hpp>

#include "base/form.hpp"
#include "base/json.hpp"
#include "base/operation_steps.hpp"
#include "base/text.hpp"
#include "http/side_options.hpp"
#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

// Fields that are added to the answer of the token server.
constexpr std::string_view k_api_path = "qconn_api_path";        // "/services/data/v59.0"
constexpr std::string_view k_api_problem = "qconn_api_problem";  // why there is none

constexpr std::string_view k_versions = "/services/data";

std::string text_of(const Map& fields, std::string_view name) {
    const Value* value = fields.find(name);
    return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
}

/// The path of a version of the API, out of the list that an instance gives: the one that is wanted, or the newest, which is the last.
void choose_version(Map& fields, const HttpResponse& answer, const std::string& wanted) {
    const Result<Value> versions = json::decode(answer.body);
    if (answer.status / 100 != 2 || !versions || !versions->is_list()) {
        fields.set(k_api_problem,
                   "it answered " + std::to_string(answer.status) + " to GET " + std::string{k_versions} + ", and no list of versions");
        return;
    }
    std::string known;
    for (const Value& one : versions->as_list()) {
        const Value& version = one["version"];
        const Value& url = one["url"];
        if (!version.is_string() || !url.is_string() || !url.as_string().starts_with('/')) continue;
        if (wanted == "auto" || version.as_string() == wanted) fields.set(k_api_path, url);
        known.append(known.empty() ? "" : ", ").append(version.as_string());
    }
    if (fields.find(k_api_path) == nullptr)
        fields.set(k_api_problem,
                   "it has no version " + wanted + " of the API: there are " + (known.empty() ? "none" : text::printable(text::shorten(known, 300))));
}

/// A log-in whose answer names the instance, which is then asked for the versions of its API.
class LogIn final : public OperationSteps, public std::enable_shared_from_this<LogIn> {
public:
    LogIn(HttpOptions side, std::string api, Runtime runtime, Deadline deadline, Callback<TokenAnswer> callback)
        : side_{std::move(side)}, api_{std::move(api)}, runtime_{std::move(runtime)}, deadline_{deadline}, callback_{std::move(callback)} {}

    static Operation begin(const std::shared_ptr<LogIn>& self, const SendForm& send, TokenRequest form) {
        self->set_part(1, send(std::move(form), self->deadline_, [self](Result<TokenAnswer> answer) { self->logged_in(std::move(answer)); }));
        return Operation{self};
    }

private:
    void logged_in(Result<TokenAnswer> answer) {
        if (!answer || answer->status / 100 != 2) return finish(std::move(answer));
        Result<Value> fields = json::decode(answer->body.reveal());
        if (!fields || !fields->is_map()) return finish(std::move(answer));
        fields_ = std::move(fields->as_map());
        answer_ = std::move(*answer);
        const std::string instance = text_of(fields_, "instance_url");
        const bool whole = instance.starts_with("https://");
        if (!whole) {
            fields_.set(k_api_problem, instance.empty() ? "its answer has no instance_url" : "the instance_url of its answer is no https:// URL");
            return complete();
        }
        try {
            side_.url = instance;
            side_.max_idle = 0;
            const auto client = std::make_shared<HttpClient>(side_, runtime_);
            HttpRequest request;
            request.path = k_versions;
            request.headers = {{"Accept", "application/json"}};
            const auto self = shared_from_this();
            set_part(2, client->async_request(std::move(request), deadline_, [self, client](Result<HttpResponse> versions) {
                if (!versions) return self->finish(versions.error());
                choose_version(self->fields_, *versions, self->api_);
                self->complete();
            }));
        } catch (const Error& error) { finish(error); }
    }

    void complete() {
        std::string body = json::encode(Value{std::move(fields_)});
        answer_.body = Secret{body};
        answer_.content_type = "application/json";
        wipe(body);
        finish(std::move(answer_));
    }
    void finish(Result<TokenAnswer> answer) {
        end();
        callback_(std::move(answer));
    }

    HttpOptions side_;
    const std::string api_;
    const Runtime runtime_;
    const Deadline deadline_;
    Callback<TokenAnswer> callback_;
    TokenAnswer answer_;
    Map fields_;
};

TokenUse token_use() {
    TokenUse use;
    use.base_url = [](const Token& token, std::string_view path) {
        if (const std::string problem = text_of(token.fields, k_api_problem); !problem.empty())
            throw Error{make_error_code(RestErrc::option), "SALESFORCE-API-ERROR", "the token server let the connection in, but " + problem}
                .with_phase(Phase::auth)
                .with_reason(Reason::bad_answer);
        const std::string instance = text_of(token.fields, "instance_url");
        // Answers name what there is more of, and other objects, by such paths.
        return path.starts_with("/services/") ? instance : instance + text_of(token.fields, k_api_path);
    };
    use.headers = [](const Token& token, std::string_view url) -> Headers {
        if (url.find("/services/async/") != std::string_view::npos) return {{"X-SFDC-Session", std::string{token.access.reveal()}}};
        return {{"Authorization", token.type + ' ' + std::string{token.access.reveal()}}};
    };
    use.is_refusal = [](const HttpResponse& answer) {
        if (answer.status == 400) return answer.body.find("<exceptionCode>InvalidSessionId</exceptionCode>") != std::string::npos;  // the bulk API
        return answer.status == 403 &&
               (answer.body.find("Bad_OAuth_Token") != std::string::npos || answer.body.find("token validity expired") != std::string::npos);
    };
    return use;
}

/// `[{"errorCode": …, "message": …}]`; that of the bulk API, which is XML.
std::optional<RestFault> salesforce_fault(const Value& body) {
    const Value& one = body.is_list() && !body.as_list().empty() ? body.as_list().front() : body["error"];
    for (const auto& [code, message] : {std::pair{"errorCode", "message"}, std::pair{"exceptionCode", "exceptionMessage"}}) {
        if (one[code].is_string() && one[message].is_string())
            return RestFault{std::string{one[code].as_string()}, std::string{one[message].as_string()}};
    }
    return std::nullopt;
}

/// The token is of no use any more, to this client and to all that share it: the next call logs in.
OperationSpec revoke_operation() {
    OperationSpec spec;
    spec.name = "revoke";
    spec.help = "Give the token back (log out); the next call gets another one";
    spec.run = [](Client& client, const Map&, Deadline deadline) -> Value {
        const auto& http = dynamic_cast<const HttpClient&>(client);
        const auto source = token_source(http);
        const TokenPtr token = source ? source->last() : nullptr;
        if (!token) return "there is no token";
        HttpRequest request;
        request.method = "POST";
        request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
        request.body = form::encode(Map{{"token", token->access.reveal()}});
        HttpOptions side = http::side_options(http.options(), source->options().revoke_url);
        side.error_passthru = false;
        HttpClient{std::move(side)}.request(request, deadline);
        return "revoked";
    };
    return spec;
}

}  // namespace

Scheme salesforce_scheme() {
    RestKind kind;
    kind.names = {"sfrests"};
    kind.family = "salesforce";
    kind.title = "Salesforce";
    kind.help =
        "The REST API of Salesforce. The URL leads to the log-in, whose answer names the instance; requests go there, to the newest version of the "
        "API "
        "or the one that api says. A ping asks the instance for its versions, and logs in where there is no token.";
    kind.example_url = "sfrests://user@example.com:password@login.salesforce.com";
    kind.options = [](RestTable& table) {
        add_client_id_options(table, "the connected app");
        {
            OptionSpec& spec = table.add("api", OptionType::string, "Version of the API; auto: the newest that the instance has", nullptr);
            spec.fallback = "auto";
            spec.example = "59.0";
        }
        const auto place = [&table](const char* name, std::string OAuth2Options::*member, const char* help, const char* path) {
            OptionSpec& spec =
                table.add(name, OptionType::string, help, [member](RestSettings& s, const Value& v) { s.oauth2.*member = v.as_string(); });
            spec.fallback_text = std::string{path} + " at the host of the URL";
            spec.example = "https://test.salesforce.com" + std::string{path};
            spec.check = whole_or_path_problem;
        };
        place("oauth_url_token", &OAuth2Options::token_url, "Where tokens are got", "/services/oauth2/token");
        place("oauth_url_auth", &OAuth2Options::auth_url, "Where a person allows the access (authorization_code)", "/services/oauth2/authorize");
        place("oauth_url_revoke", &OAuth2Options::revoke_url, "Where tokens are given back", "/services/oauth2/revoke");
        for (const char* name : {"oauth2_token_url", "oauth2_auth_url", "token", "token_type"}) table.remove(name);
        take_json_only(table);
        compress_by_default(table);
    };
    kind.required = {{{{"client_id", "client_secret"}, {"client_id", "oauth2_jwt_key"}}}};
    kind.oauth2 = [](const Given&) { return OAuth2Defaults{.grant = OAuth2Grant::password, .known = {"oauth2_token_url", "oauth2_auth_url"}}; };
    kind.complete = [](RestSettings& settings, const ResolvedDefinition&) {
        OAuth2Options& oauth2 = settings.oauth2;
        if (oauth2.token_url.empty()) oauth2.token_url = "/services/oauth2/token";
        if (oauth2.auth_url.empty()) oauth2.auth_url = "/services/oauth2/authorize";
        if (oauth2.revoke_url.empty()) oauth2.revoke_url = "/services/oauth2/revoke";
        settings.token_use = token_use();
        settings.fault_of = salesforce_fault;
    };
    kind.log_in = [](SendForm plain, const RestSettings& settings, const ResolvedDefinition& definition, const Runtime& runtime) -> SendForm {
        return [plain = std::move(plain), side = http::side_options(settings), api = scalar_text(option_of(definition, "api")), runtime](
                   TokenRequest form, Deadline deadline, Callback<TokenAnswer> callback) {
            return LogIn::begin(std::make_shared<LogIn>(side, api, runtime, deadline, std::move(callback)), plain, std::move(form));
        };
    };
    kind.ping = [](const ResolvedDefinition&) { return PingCall{.path = std::string{k_versions}, .headers = {{"Accept", "application/json"}}}; };
    kind.operations = {revoke_operation()};
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
