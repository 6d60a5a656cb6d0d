// SPDX-License-Identifier: Apache-2.0
// REST calls by the description of an API: against a server that publishes its own, OpenAPI 3.0, and against httpbin by one in Swagger 2.0.
#include <qconn/core/file_resolver.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/rest/rest_client.hpp>

#include "integration/http/http_fixture.hpp"
#include "support/define.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr Form k_forms[] = {Form::blocking, Form::asynchronous};

Server& api() {
    static Server server{"api"};
    return server;
}

constexpr std::string_view k_echo = R"yaml(swagger: '2.0'
info: {title: Echo, version: '1'}
basePath: /anything/v1
consumes: [application/json, text/x-yaml]
paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, type: string}
      - {name: X-Trace, in: header, type: integer}
    put:
      operationId: putOrder
      parameters:
        - {name: order, in: body, required: true, schema: {type: object, required: [sku], properties: {sku: {type: string}, count: {type: integer, minimum: 1}}}}
        - {name: tags, in: query, type: array, collectionFormat: pipes, items: {type: string}}
      responses:
        200: {description: what was sent, schema: {type: object, required: [json, args], properties: {method: {type: string, enum: [PUT]}}}}
    get:
      operationId: getOrder
      responses:
        200: {description: what was sent, schema: {type: object, required: [nothing of the kind]}}
)yaml";

RestOptions echo_options() {
    RestOptions options;
    options.label = "echo";
    options.url = url(httpbin(), "/this/is/dropped?x=1");
    options.validator = openapi::Document::parse(k_echo);
    return options;
}

RestResponse call(RestClient& client, Form form, const RestCall& request) {
    if (form == Form::blocking) return client.call(request, 10s);
    Outcomes<RestResponse> outcomes;
    client.async_call(request, 10s, outcomes.callback());
    REQUIRE(outcomes.wait(1));
    return outcomes.results().front().value();
}

RestResponse call(RestClient& client, Form form, std::string_view id, const Map& arguments) {
    if (form == Form::blocking) return client.call_operation(id, arguments, 10s);
    Outcomes<RestResponse> outcomes;
    client.async_call_operation(id, arguments, 10s, outcomes.callback());
    REQUIRE(outcomes.wait(1));
    return outcomes.results().front().value();
}

template <class... What>
Error failure(RestClient& client, Form form, const What&... what) {
    try {
        call(client, form, what...);
    } catch (const Error& error) { return error; }
    FAIL("it was answered");
    throw std::logic_error{"not reached"};
}

/// The description above in two resources.
class Resources final : public ResourceSource {
public:
    std::optional<std::string> resource(std::string_view service, std::string_view name, Deadline) override {
        if (service != "shop") return std::nullopt;
        if (name == "api.yaml")
            return "swagger: '2.0'\ninfo: {title: T, version: '1'}\npaths:\n  /y/{id}: {$ref: 'echo.yaml#/paths/~1orders~1{id}'}\n";
        return std::string{k_echo};
    }
};

const Map k_order{{"lines", List{Map{{"sku", "A-1"}, {"count", 2}}}}, {"payment", Map{{"kind", "card"}, {"number", "1234"}}}, {"due", "2026-05-01"}};

}  // namespace

TEST_CASE("requests are checked before they are sent, answers after", "[rest][openapi][integration]") {
    for (const Form form : k_forms) {
        RestClient client{echo_options()};
        const Value order = Map{{"sku", "A-1"}, {"count", 2}};
        const RestResponse put = call(client, form, RestCall{.method = "PUT", .path = "orders/17?tags=a%7Cb", .body = order});
        CHECK(put.body["json"] == order);
        CHECK(std::string{put.body["url"].as_string()}.find("/anything/v1/orders/17?tags=a%7Cb") != std::string::npos);

        const Error refused =
            failure(client, form, RestCall{.method = "PUT", .path = "orders/17", .body = Map{{"count", 0}}, .headers = {{"X-Trace", "x"}}});
        CHECK(refused.name() == "REQUEST-VALIDATION-ERROR");
        CHECK(refused.code() == openapi::OpenApiErrc::request);
        CHECK(refused.connection() == "echo");
        CHECK_FALSE(refused.retryable());
        REQUIRE(refused.detail<openapi::ValidationErrorDetail>() != nullptr);
        CHECK(refused.detail<openapi::ValidationErrorDetail>()->findings.size() == 3);
        CHECK(refused.message().find(
                  "PUT /orders/{id} was not sent: /header/X-Trace must be integer, and is string (#/paths/~1orders~1{id}/parameters/1)") == 0);

        CHECK(failure(client, form, RestCall{.method = "DELETE", .path = "orders/17"}).name() == "REQUEST-VALIDATION-ERROR");
        CHECK(failure(client, form, RestCall{.method = "PUT", .path = "orders/17", .body = order, .data = DataFormat::url})
                  .message()
                  .find("/content-type is") != std::string_view::npos);
        CHECK(call(client, form, RestCall{.method = "PUT", .path = "orders/17", .body = order, .data = DataFormat::yaml}).status == 200);
        const Headers json{{"Content-Type", "application/json"}};
        CHECK(
            call(client, form, RestCall{.method = "PUT", .path = "orders/17", .body = R"({"sku": "A-1"})", .headers = json, .data = DataFormat::text})
                .status == 200);
        CHECK(
            failure(client, form, RestCall{.method = "PUT", .path = "orders/17", .body = R"({"sku": 1})", .headers = json, .data = DataFormat::text})
                .name() == "REQUEST-VALIDATION-ERROR");

        const Error answer = failure(client, form, RestCall{.path = "orders/17"});
        CHECK(answer.name() == "RESPONSE-VALIDATION-ERROR");
        CHECK(answer.phase() == Phase::body);
        REQUIRE(answer.detail<RestValidationDetail>() != nullptr);
        CHECK(answer.detail<RestValidationDetail>()->findings.front().instance == "/body");
        CHECK(answer.detail<HttpErrorDetail>()->response.status == 200);
    }
}

TEST_CASE("an operation is called by its id", "[rest][openapi][integration]") {
    for (const Form form : k_forms) {
        RestClient client{echo_options()};
        const RestResponse put = call(client, form, "putOrder", Map{{"id", "a/b"}, {"tags", List{"x y", "z"}}, {"X-Trace", 5}, {"sku", "A-1"}});
        CHECK(put.body["json"] == Value{Map{{"sku", "A-1"}}});
        CHECK(put.body["args"]["tags"] == Value{"x y|z"});
        CHECK(put.body["headers"]["X-Trace"] == Value{"5"});
        CHECK(put.body["headers"]["Content-Type"] == Value{"application/json;charset=utf-8"});
        CHECK(failure(client, form, "putOrder", Map{{"id", "1"}, {"sku", 1}}).name() == "REQUEST-VALIDATION-ERROR");
        CHECK(failure(client, form, "putOrder", Map{{"sku", "A-1"}}).name() == "INVALID-ARGUMENT");
        CHECK(failure(client, form, "nothing", Map{}).name() == "INVALID-ARGUMENT");
        RestOptions plain = echo_options();
        plain.validator = nullptr;
        plain.url = url(httpbin());
        RestClient without{plain};
        CHECK(failure(without, form, "putOrder", Map{}).name() == "RESTCLIENT-ERROR");
        CHECK(call(without, form, RestCall{.path = "/get"}).status == 200);
    }
}

TEST_CASE("a connection takes the description that the server publishes", "[rest][openapi][integration]") {
    // This FastAPI writes limits in a way that OpenAPI 3.0 does not know.
    const std::string where = "swagger: http://" + api().address() + "/v1/openapi.json";
    try {
        define("rest://" + api().address(), where).client<RestClient>();
        FAIL("it was taken");
    } catch (const Error& error) {
        CHECK(error.message().find("at /components/schemas/Line/properties/count/exclusiveMaximum: it must be true or false") !=
              std::string_view::npos);
    }
    const auto shop = define("rest://" + api().address() + "/elsewhere", where + "\nswagger_lax_parsing: true");
    INFO(shop.text());
    CHECK(shop.valid);
    CHECK(shop.code() == "bad-value");  // over http
    const auto client = shop.client<RestClient>();
    CHECK(client->rest_options().validator->title() == "Shop");
    CHECK(client->rest_options().validator->base_path() == "/v1");
    for (const Form form : k_forms) {
        const RestResponse listed =
            call(*client, form, "listOrders", Map{{"status", List{"open", "paid"}}, {"limit", 3}, {"x-request-id", "r 1"}, {"session", "s1"}});
        CHECK(listed.body == Value{Map{{"status", List{"open", "paid"}}, {"limit", 3}, {"request", "r 1"}, {"session", "s1"}}});
        CHECK(failure(*client, form, "listOrders", Map{{"status", List{"lost"}}, {"limit", 101}})
                  .detail<openapi::ValidationErrorDetail>()
                  ->findings.size() == 2);

        const RestResponse placed = call(*client, form, "addOrder", k_order);
        CHECK(placed.status == 201);
        CHECK(placed.body["order"] == Value{k_order});
        Map bad = k_order;
        bad.set("payment", Map{{"kind", "cash"}});
        bad.set("due", "tomorrow");
        bad.set("more", 1);
        const Error refused = failure(*client, form, "addOrder", bad);
        CHECK(refused.detail<openapi::ValidationErrorDetail>()->findings.size() == 3);

        CHECK(call(*client, form, "getOrder", Map{{"id", 5}}).body == Value{5});
        CHECK(call(*client, form, RestCall{.path = "orders/5"}).body == Value{5});
        CHECK(call(*client, form, "getFile", Map{{"name", "a b\xC3\xA4"}}).body == Value{"a b\xC3\xA4"});
        CHECK(failure(*client, form, "broken", Map{}).detail<RestValidationDetail>()->findings.size() == 2);
    }
}

TEST_CASE("the server refuses what is refused here", "[rest][openapi][integration]") {
    RestOptions options;
    options.url = url(api(), "/v1");
    RestClient plain{options};
    const auto document = openapi::Document::parse(plain.HttpClient::get("openapi.json", 10s).body, {.lax = true});
    const openapi::Operation& add = *document->find("addOrder");
    const auto with = [](std::string_view key, Value value) {
        Map order = k_order;
        order.set(key, std::move(value));
        return Value{order};
    };
    const Value bodies[] = {k_order,
                            with("lines", List{}),
                            with("lines", List{Map{{"sku", "a"}, {"count", 1}}}),
                            with("lines", List{Map{{"sku", "A-1"}, {"count", 1000}}}),
                            with("lines", List{Map{{"sku", "A-1"}, {"count", 999}}}),
                            with("lines", List{Map{{"sku", "A-1"}}}),
                            with("payment", Map{{"kind", "card"}}),
                            with("payment", Map{{"kind", "transfer"}, {"iban", "AB123"}}),
                            with("payment", Map{{"kind", "transfer"}, {"iban", "AB1"}}),
                            with("payment", Map{{"kind", "cash"}}),
                            with("payment", "card"),
                            with("due", "2026-02-30"),
                            with("more", 1),
                            with("part_of", Value{k_order}),
                            with("part_of", with("due", "soon"))};
    int refused = 0;
    for (const Value& body : bodies) {
        openapi::Request request;
        request.body = body;
        const bool here = document->check_request(add, request).empty();
        RestOptions lenient = options;
        lenient.error_passthru = true;
        RestClient client{lenient};
        const bool there = client.post("orders", body, 10s).status == 201;
        INFO(to_text(body));
        CHECK(here == there);
        refused += here ? 0 : 1;
    }
    CHECK(refused == 11);
}

TEST_CASE("a description that cannot be used is a failure of its connection only", "[rest][openapi][integration]") {
    const TempDir dir;
    dir.write("good.yaml", k_echo);
    dir.write("bad.yaml",
              "swagger: '2.0'\ninfo: {title: T, version: '1'}\npaths:\n  /x:\n    get:\n      responses: {200: {description: ok, schema: {$ref: "
              "'parts.yaml#/none'}}}\n");
    dir.write("parts.yaml", "Order: {type: object}\n");
    const auto connection = [&](const std::string& name, const std::string& swagger) {
        dir.write(name + ".qconn.yaml", "type: connection\nname: " + name + "\ndesc: d\nurl: rest://" + httpbin().address() +
                                            "\noptions:\n  swagger: " + swagger + "\n  swagger_base_path: /anything/v2\n");
    };
    connection("good", "good.yaml");
    connection("bad", "bad.yaml");
    connection("missing", "file:none.yaml");
    connection("nowhere", "https://127.0.0.1:1/api.yaml");
    connection("resource", "resource://shop:api.yaml");
    FileResolver files = builtin_file_resolver();
    files.add_resources(std::make_shared<Resources>());
    Registry registry{RegistryOptions{.files = std::make_shared<const FileResolver>(files)}};
    registry.load(dir.path());
    CHECK(registry.infos().size() == 5);
    CHECK(registry.get<RestClient>("resource")->rest_options().validator->find("getOrder") != nullptr);

    CHECK(std::string{registry.get<RestClient>("good")->call_operation("putOrder", Map{{"id", "1"}, {"sku", "A"}}, 10s).body["url"].as_string()}.find(
              "/anything/v2/orders/1") != std::string::npos);
    const auto failure_of = [&](const std::string& name) {
        try {
            registry.get<RestClient>(name)->get("x");
        } catch (const Error& error) { return error; }
        FAIL("it was made");
        throw std::logic_error{"not reached"};
    };
    const Error bad = failure_of("bad");
    INFO(bad.what());
    CHECK(bad.name() == "SWAGGER-SCHEMA-ERROR");
    CHECK(bad.connection() == "bad");
    CHECK(bad.message().find("'bad.yaml' cannot be used: line 6, column 50, at /paths/~1x/get/responses/200/schema: it refers to 'parts.yaml#/none', "
                             "where nothing is") != std::string_view::npos);
    CHECK(failure_of("missing").name() == "FILE-REFERENCE-ERROR");
    CHECK(failure_of("nowhere").name() == "FILE-REFERENCE-ERROR");
}
