// SPDX-License-Identifier: Apache-2.0
// zeyosrest and zeyosrests: the REST API of ZeyOS.
#include <string>
#include <utility>

#include <qconn/http/http_client.hpp>

#include "auth/pkce.hpp"
#include "base/json.hpp"
#include "http/side_options.hpp"
#include "schemes/rest_kind.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

/// ZeyOS takes JSON and answers with a token; to the source of tokens that is a log-in by password.
SendForm json_log_in(const RestSettings& settings, const Runtime& runtime) {
    const OAuth2Options& oauth2 = settings.oauth2;
    std::string body = json::encode(Map{{"name", oauth2.username},
                                        {"password", oauth2.password.reveal()},
                                        {"identifier", oauth2.client_id},
                                        {"appsecret", oauth2.client_secret.reveal()}});
    const auto client = std::make_shared<HttpClient>(http::side_options(settings, oauth2.token_url), runtime);
    const Secret secret{body};
    wipe(body);
    return [client, secret](const TokenRequest&, Deadline deadline, Callback<TokenAnswer> callback) {
        HttpRequest request;
        request.method = "POST";
        request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
        request.body = secret.reveal();
        request.repeatable = true;
        return client->async_request(std::move(request), deadline, [client, callback = std::move(callback)](Result<HttpResponse> response) mutable {
            if (!response) return callback(response.error());
            TokenAnswer answer{response->status, "application/json", {}};
            const Result<Value> fields = json::decode(response->body);
            const Value token = fields ? (*fields)["token"] : Value{};
            std::string text = token.is_string() ? json::encode(Map{{"access_token", token}, {"token_type", "Bearer"}}) : response->body;
            answer.body = Secret{text};
            wipe(text);
            wipe(response->body);
            callback(std::move(answer));
        });
    };
}

/// The first part of the path.
std::string instance_of(std::string_view path) {
    const auto begin = path.find_first_not_of('/');
    return begin == std::string_view::npos ? std::string{} : std::string{path.substr(begin, path.find('/', begin) - begin)};
}

}  // namespace

Scheme zeyosrest_scheme() {
    RestKind kind;
    kind.names = {"zeyosrests", "zeyosrest"};
    kind.family = "zeyos";
    kind.title = "ZeyOS";
    kind.help =
        "The REST API of ZeyOS. A user name and password (in the URL, or as name and password) and the secret of the application get a token; the "
        "instance is an option, or the first part of the URL's path. A ping opens a connection.";
    kind.example_url = "zeyosrests://user:password@cloud.zeyos.com/test";
    kind.options = [](RestTable& table) {
        table.at("username").aliases = {"name"};
        {
            OptionSpec& spec = table.add("appsecret", OptionType::string, "Secret of the application, as ZeyOS knows it",
                                         [](RestSettings& s, const Value& v) { s.oauth2.client_secret = Secret{v.as_string()}; });
            spec.sensitive = true;
            spec.example = "${env:ZEYOS_APPSECRET}";
        }
        {
            OptionSpec& spec = table.add("identifier", OptionType::string, "Name under which ZeyOS lists the log-in",
                                         [](RestSettings& s, const Value& v) { s.oauth2.client_id = v.as_string(); });
            spec.fallback_text = "a random one";
            spec.example = "shop-1";
        }
        {
            OptionSpec& spec = table.add("instance", OptionType::string, "Name of the instance", nullptr);
            spec.fallback_text = "the first part of the path";
            spec.example = "test";
            spec.check = [](const Value& v) {
                const bool part = !v.as_string().empty() && v.as_string().find_first_of("/?# ") == std::string_view::npos;
                return part ? std::string{} : std::string{"it must be one part of a path"};
            };
        }
        OptionSpec& grant = table.at("oauth2_grant_type");
        grant.allowed = {{Value{"none"}, "token is all there is"}, {Value{"password"}, "the log-in of ZeyOS"}};
        grant.example = "password";
        table.remove("oauth2_client_id");
        table.remove("oauth2_client_secret");
        table.at("no_charset").fallback = true;
        table.at("no_charset").example = false;
    };
    kind.required = {{{{"token"}, {"appsecret", "url.user", "url.password"}, {"appsecret", "username", "password"}}}};
    kind.oauth2 = [](const Given& given) {
        return OAuth2Defaults{.grant = given.has("appsecret") ? OAuth2Grant::password : OAuth2Grant::none,
                              .known = {"oauth2_token_url", "oauth2_client_id", "oauth2_client_secret"}};
    };
    kind.complete = [](RestSettings& settings, const ResolvedDefinition& definition) {
        std::string instance = scalar_text(option_of(definition, "instance"));
        if (instance.empty()) instance = instance_of(definition.url.path);
        if (instance_of(definition.url.path).empty()) add_base_path(settings, "/" + instance);
        if (settings.oauth2.token_url.empty()) settings.oauth2.token_url = "/" + instance + "/auth/v1/login";
        if (settings.oauth2.client_id.empty()) settings.oauth2.client_id = "qconn-" + std::string{auth::random_word().reveal().substr(0, 12)};
    };
    kind.log_in = [](const SendForm&, const RestSettings& settings, const ResolvedDefinition&, const Runtime& runtime) {
        return json_log_in(settings, runtime);
    };
    kind.check = [](const Definition& definition, Findings& findings) {
        if (!is_set(definition, "instance") && instance_of(url_of(definition).path).empty())
            findings.error("url", "missing-option", "'instance' is missing",
                           "name it, or make it the path of the URL: " + definition.scheme() + "://HOST/INSTANCE");
    };
    return rest_kind(std::move(kind));
}

}  // namespace qconn::schemes
