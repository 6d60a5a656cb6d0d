// SPDX-License-Identifier: Apache-2.0
#include <qconn/openapi/document.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::openapi;

namespace {

constexpr std::string_view k_shop2 = R"yaml(swagger: '2.0'
info: {title: Shop, version: '1.4'}
basePath: /v1/
consumes: [application/json]
produces: [application/json]
securityDefinitions:
  key: {type: apiKey, in: query, name: api_key}
paths:
  /orders:
    get:
      operationId: listOrders
      summary: All orders
      tags: [orders]
      parameters:
        - {name: status, in: query, type: array, collectionFormat: pipes, items: {type: string, enum: [open, paid]}}
        - {name: limit, in: query, type: integer, minimum: 1, maximum: 100}
        - {name: tag, in: query, type: array, collectionFormat: multi, items: {type: string}}
      responses:
        200:
          description: orders
          schema: {type: array, items: {$ref: '#/definitions/Order'}}
          headers:
            X-Total: {type: integer}
    post:
      operationId: addOrder
      parameters:
        - {name: X-Request-Id, in: header, required: true, type: string, format: uuid}
        - {name: order, in: body, required: true, schema: {$ref: '#/definitions/Order'}}
      responses:
        201: {description: made, schema: {$ref: '#/definitions/Order'}}
        default: {description: failed}
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, type: integer}
    get:
      operationId: getOrder
      responses:
        200: {description: one, schema: {$ref: '#/definitions/Order'}}
    delete:
      responses:
        204: {description: gone}
  /orders/latest:
    get:
      operationId: latest
      responses:
        200: {description: one}
  /login:
    post:
      operationId: login
      consumes: [application/x-www-form-urlencoded]
      parameters:
        - {name: user, in: formData, required: true, type: string}
        - {name: tries, in: formData, type: integer}
      responses:
        200: {description: in}
  /pets:
    post:
      operationId: addPet
      parameters:
        - {name: pet, in: body, schema: {$ref: '#/definitions/Pet'}}
      responses:
        200: {description: one}
definitions:
  Order:
    type: object
    required: [sku, id]
    additionalProperties: false
    properties:
      id: {type: integer, readOnly: true}
      sku: {type: string, pattern: '^[A-Z]-\d+$', maxLength: 6}
      price: {type: number, multipleOf: 0.01}
      note: {type: string, x-nullable: true}
      parts: {type: array, items: {$ref: '#/definitions/Order'}}
      on: {type: string, format: date}
  Pet:
    type: object
    discriminator: kind
    required: [kind]
    properties: {kind: {type: string}}
  Dog:
    allOf:
      - $ref: '#/definitions/Pet'
      - {type: object, required: [bark], properties: {bark: {type: boolean}}}
)yaml";

constexpr std::string_view k_shop3 = R"yaml(openapi: 3.0.3
info: {title: Shop, version: 2}
servers:
  - url: https://{region}.example.com/{stage}/v2
    variables: {region: {default: eu}, stage: {default: live}}
paths:
  /items/{path}/{id}:
    get:
      operationId: item
      parameters:
        - {name: path, in: path, required: true, style: label, explode: true, schema: {type: array, items: {type: string}}}
        - {name: id, in: path, required: true, style: matrix, schema: {type: integer}}
        - {name: filter, in: query, style: deepObject, schema: {type: object, properties: {min: {type: integer}, max: {type: integer}}}}
        - {name: where, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}
        - {name: fields, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: session, in: cookie, schema: {type: string, minLength: 3}}
        - {name: id, in: query, schema: {type: string}}
      responses:
        '200':
          description: one
          headers:
            X-Rate: {required: true, schema: {type: integer}}
          content:
            application/json: {schema: {$ref: '#/components/schemas/Thing'}}
            text/*: {schema: {type: string, maxLength: 5}}
        4XX: {description: wrong}
  /things:
    post:
      operationId: addThing
      requestBody: {$ref: '#/components/requestBodies/Thing'}
      responses: {'201': {description: made}}
components:
  requestBodies:
    Thing:
      required: true
      content:
        application/json: {schema: {$ref: '#/components/schemas/Thing'}}
  schemas:
    Thing:
      oneOf: [{$ref: '#/components/schemas/Book'}, {$ref: '#/components/schemas/Film'}]
      discriminator: {propertyName: kind, mapping: {movie: '#/components/schemas/Film', volume: Book}}
    Book:
      type: object
      required: [kind, pages]
      properties:
        kind: {type: string}
        pages: {type: integer, minimum: 1, exclusiveMinimum: true}
        isbn: {type: string, nullable: true}
        secret: {type: string, writeOnly: true}
    Film:
      type: object
      required: [kind, minutes]
      properties: {kind: {type: string}, minutes: {type: integer}}
)yaml";

std::vector<std::string> said(const std::vector<Finding>& findings) {
    std::vector<std::string> all;
    for (const Finding& one : findings) all.push_back(one.instance + " " + one.message + " " + one.schema);
    return all;
}
using Said = std::vector<std::string>;

Request with_body(Value body) {
    Request request;
    request.body = std::move(body);
    return request;
}

Error failure(std::string_view text, const ParseOptions& options = {}) {
    try {
        Document::parse(text, options);
    } catch (const Error& error) { return error; }
    FAIL("it was taken");
    throw std::logic_error{"not reached"};
}

std::string document(std::string_view operation, std::string_view definitions = "") {
    return "swagger: '2.0'\ninfo: {title: T, version: '1'}\npaths:\n  /x:\n    post:\n" + std::string{operation} +
           "      responses: {200: {description: ok}}\n" + std::string{definitions};
}

/// A document whose body has that schema, and a check of a body against it.
std::vector<Finding> check(std::string_view schema, const Value& body, std::string_view definitions = "", ParseOptions options = {}) {
    const std::string text = document("      parameters: [{name: b, in: body, schema: " + std::string{schema} + "}]\n", definitions);
    const auto parsed = Document::parse(text, options);
    return parsed->check_request(parsed->operations().front(), with_body(body));
}

}  // namespace

TEST_CASE("a description tells its operations, makes requests from arguments, and judges calls", "[openapi]") {
    const auto shop = Document::parse(k_shop2);
    CHECK(shop->title() == "Shop");
    CHECK(shop->version() == "1.4");
    CHECK(shop->specification() == "2.0");
    CHECK(shop->base_path() == "/v1");
    REQUIRE(shop->operations().size() == 7);
    const Operation* list = shop->find("listOrders");
    REQUIRE(list != nullptr);
    CHECK(list->summary == "All orders");
    CHECK(list->parameters[1].type == "integer");
    CHECK(shop->find("delete /orders/{id}") != nullptr);
    CHECK(shop->find("nothing") == nullptr);

    const BuiltRequest request = shop->build(*list, Map{{"status", List{"open", "paid"}}, {"limit", 5}, {"tag", List{"a b", "c"}}});
    CHECK(request.method == "GET");
    CHECK(request.target == "/orders?status=open%7Cpaid&limit=5&tag=a%20b&tag=c");
    CHECK(shop->check_request(*list, request.values).empty());
    CHECK(shop->build(*list, Map{{"status", "open|paid"}, {"limit", "5"}}).target == "/orders?status=open%7Cpaid&limit=5");

    CHECK(said(shop->check_request(*list, shop->build(*list, Map{{"limit", 500}}).values)) ==
          Said{"/query/limit must be at most 100 #/paths/~1orders/get/parameters/1"});

    const Operation& add = *shop->find("addOrder");
    const Map order{{"sku", "A-1"}, {"price", 9.99}, {"note", nullptr}};
    const BuiltRequest made = shop->build(add, Map{{"order", order}, {"X-Request-Id", "123e4567-e89b-12d3-a456-426614174000"}});
    CHECK(made.body == Value{order});
    CHECK(made.content_type == "application/json");
    CHECK(made.headers.front().first == "X-Request-Id");
    CHECK(shop->check_request(add, made.values).empty());
    CHECK(shop->build(add, order).body == Value{Map{{"sku", "A-1"}, {"price", 9.99}}});

    CHECK(said(shop->check_response(add,
                                    {.status = 201, .body = Map{{"id", "17"}, {"sku", "A-1"}, {"extra", 1}}, .content_type = "application/json"})) ==
          Said{"/body/id must be integer, and is string #/definitions/Order/properties/id",
               "/body/extra is not a member that is known here #/definitions/Order"});
}

TEST_CASE("the operation of a request is found by method and path, the most specific first", "[openapi]") {
    const auto shop = Document::parse(k_shop2);
    const auto id = [&](std::string_view method, std::string_view target) {
        const auto match = shop->match(method, target);
        return match ? match->operation->id : "";
    };
    CHECK(id("GET", "/orders/17") == "getOrder");
    CHECK(id("GET", "orders/17") == "getOrder");
    CHECK(id("GET", "/v1/orders/17?x=1") == "getOrder");
    CHECK(id("GET", "/orders/latest") == "latest");
    CHECK(id("GET", "/orders/l%61test") == "latest");
    CHECK(id("GET", "/orders/") == "");
    CHECK(id("GET", "/orders/1/2") == "");
    CHECK(id("PUT", "/orders/17") == "");
    CHECK(id("GET", "/v1/orders") == "listOrders");

    const auto match = shop->match("GET", "/orders?status=open%7Cpaid&limit=x&tag=a+b&api_key=1&more=2");
    CHECK(match->request.query == Map{{"status", List{"open", "paid"}}, {"limit", "x"}, {"tag", List{"a b"}}, {"api_key", "1"}, {"more", "2"}});
    CHECK(said(shop->check_request(*match->operation, match->request)) ==
          Said{"/query/limit must be integer, and is string #/paths/~1orders/get/parameters/1", "/query/more is not described #/paths/~1orders/get"});
    CHECK(shop->match("GET", "/orders/17")->request.path == Map{{"id", 17}});

    const auto files = Document::parse(R"({"swagger": "2.0", "info": {"title": "F", "version": "1"}, "paths": {
        "/f/{name}.{kind}": {"get": {"responses": {"200": {"description": ""}}, "parameters": [
            {"name": "name", "in": "path", "required": true, "type": "string"}, {"name": "kind", "in": "path", "required": true, "type": "string"}]}},
        "/f/{all}": {"get": {"responses": {"200": {"description": ""}}, "parameters": [{"name": "all", "in": "path", "required": true, "type": "string"}]}}}})");
    CHECK(files->match("GET", "/f/a.b")->request.path == Map{{"name", "a"}, {"kind", "b"}});
    CHECK(files->match("GET", "/f/ab")->request.path == Map{{"all", "ab"}});
}

TEST_CASE("OpenAPI 3 parameters are sent in their styles and read back", "[openapi]") {
    const auto shop = Document::parse(k_shop3);
    CHECK(shop->base_path() == "/live/v2");
    CHECK(shop->version() == "2");
    const Operation& item = *shop->find("item");
    const Map arguments{
        {"path", List{"a", "b/c"}}, {"path.id", 7},    {"query.id", "q"}, {"filter", Map{{"min", 1}, {"max", 9}}}, {"where", Map{{"a", 1}}},
        {"fields", List{"x", "y"}}, {"session", "s/1"}};
    const BuiltRequest request = shop->build(item, arguments);
    CHECK(request.target == "/items/.a.b%2Fc/;id=7?filter%5Bmin%5D=1&filter%5Bmax%5D=9&where=%7B%22a%22%3A1%7D&fields=x,y&id=q");
    CHECK(request.headers == std::vector<std::pair<std::string, std::string>>{{"Cookie", "session=s%2F1"}});
    CHECK(shop->check_request(item, request.values).empty());

    const auto match = shop->match("GET", request.target);
    REQUIRE(match);
    CHECK(match->request.path == request.values.path);
    CHECK(match->request.query == request.values.query);

    CHECK_THROWS_AS(shop->build(item, Map{{"id", 7}}), Error);       // which one?
    CHECK_THROWS_AS(shop->build(item, Map{{"nothing", 7}}), Error);  // there is none
    CHECK_THROWS_AS(shop->build(item, Map{{"path.id", 7}}), Error);  // path is missing
}

TEST_CASE("a value of a path cannot become another path", "[openapi]") {
    const auto document = Document::parse(R"(
swagger: '2.0'
info: {title: T, version: '1'}
paths:
  /a/{id}:
    get:
      parameters: [{name: id, in: path, required: true, type: string}]
      responses: {200: {description: ok}}
)");
    const Operation& get = document->operations().front();
    CHECK(document->build(get, Map{{"id", "../b?c#d"}}).target == "/a/..%2Fb%3Fc%23d");
    for (const char* bad : {"", ".", ".."}) CHECK_THROWS_AS(document->build(get, Map{{"id", bad}}), Error);
}

TEST_CASE("requests: what is missing, of another type, not for requests", "[openapi]") {
    const auto shop = Document::parse(k_shop2);
    const Operation& add = *shop->find("addOrder");
    CHECK(said(shop->check_request(add, {})) ==
          Said{"/header/X-Request-Id is missing #/paths/~1orders/post/parameters/0", "/body is missing #/paths/~1orders/post/parameters/1"});

    Request request = with_body(Map{{"id", 1}, {"sku", "a"}, {"price", 0.125}, {"parts", List{Map{}, Map{{"sku", "A-12345"}}}}});
    request.header.set("x-request-id", "no");
    CHECK(said(shop->check_request(add, request)) == Said{"/header/X-Request-Id is not a UUID #/paths/~1orders/post/parameters/0",
                                                          "/body/id is only for answers #/definitions/Order/properties/id",
                                                          "/body/sku does not match the pattern ^[A-Z]-\\d+$ #/definitions/Order/properties/sku",
                                                          "/body/price must be a multiple of 0.01 #/definitions/Order/properties/price",
                                                          "/body/parts/0 lacks \"sku\" #/definitions/Order",
                                                          "/body/parts/1/sku must have at most 6 characters #/definitions/Order/properties/sku"});

    request = with_body(Map{{"sku", "A-1"}});
    request.header.set("X-Request-Id", "123e4567-e89b-12d3-a456-426614174000");
    request.content_type = "text/x-yaml";
    CHECK(said(shop->check_request(add, request)) ==
          Said{"/content-type is text/x-yaml; there is application/json #/paths/~1orders/post/parameters/1"});
    CHECK(said(shop->check_request(*shop->find("latest"), with_body(1))) ==
          Said{"/body is not described: the operation takes none #/paths/~1orders~1latest/get"});
}

TEST_CASE("headers that credentials and bodies make are not missed", "[openapi]") {
    const auto document = Document::parse(R"yaml(
swagger: '2.0'
info: {title: T, version: '1'}
paths:
  /x:
    get:
      parameters:
        - {name: authorization, in: header, required: true, type: string}
        - {name: X-Key, in: header, required: true, type: string}
      responses: {200: {description: ok}}
)yaml");
    const Operation& get = document->operations().front();
    CHECK(said(document->check_request(get, {})) == Said{"/header/X-Key is missing #/paths/~1x/get/parameters/1"});
    CHECK(document->build(get, Map{{"authorization", "Basic eA=="}}).headers.front().second == "Basic eA==");
}

TEST_CASE("fields of a form are checked as text", "[openapi]") {
    const auto shop = Document::parse(k_shop2);
    const Operation& login = *shop->find("login");
    const BuiltRequest request = shop->build(login, Map{{"user", "a"}, {"tries", "3"}});
    CHECK(request.content_type == "application/x-www-form-urlencoded");
    CHECK(request.body == Value{Map{{"user", "a"}, {"tries", "3"}}});
    CHECK(shop->check_request(login, request.values).empty());
    CHECK(shop->check_request(login, shop->build(login, Map{{"tries", "x"}}).values).size() == 2);
    CHECK_THROWS_AS(shop->build(login, Map{{"usr", "a"}}), Error);
}

TEST_CASE("a discriminator names the schema that counts, in both versions", "[openapi]") {
    const auto two = Document::parse(k_shop2);
    const auto pet = [&](Map body) { return said(two->check_request(*two->find("addPet"), with_body(std::move(body)))); };
    CHECK(pet({{"kind", "Dog"}, {"bark", true}}).empty());
    CHECK(pet({{"kind", "Pet"}}).empty());
    CHECK(pet({{"kind", "Dog"}}) == Said{"/body lacks \"bark\" #/definitions/Dog/allOf/1"});
    CHECK(pet({{"kind", "Cat"}}) == Said{"/body/kind names no schema; there are Dog, Pet #/definitions/Pet"});
    CHECK(pet({{"bark", true}}) == Said{"/body lacks \"kind\" #/definitions/Pet", "/body lacks \"kind\", which says what it is #/definitions/Pet"});

    const auto three = Document::parse(k_shop3);
    const auto thing = [&](Map body) { return said(three->check_request(*three->find("addThing"), with_body(std::move(body)))); };
    CHECK(thing({{"kind", "Film"}, {"minutes", 1}}).empty());
    CHECK(thing({{"kind", "movie"}, {"minutes", 1}}).empty());
    CHECK(thing({{"kind", "volume"}, {"pages", 3}, {"isbn", nullptr}, {"secret", "x"}}).empty());
    CHECK(thing({{"kind", "Book"}, {"pages", 1}}) == Said{"/body/pages must be above 1 #/components/schemas/Book/properties/pages"});
    CHECK(thing({{"kind", "Other"}}).size() == 1);
}

TEST_CASE("answers: status, headers, media type and body", "[openapi]") {
    const auto shop = Document::parse(k_shop3);
    const Operation& item = *shop->find("item");
    const auto judge = [&](Response response) { return said(shop->check_response(item, response)); };
    const Map rate{{"x-rate", "5"}};
    CHECK(judge({.status = 200, .header = rate, .body = Map{{"kind", "Film"}, {"minutes", 2}}, .content_type = "application/json; charset=utf-8"})
              .empty());
    CHECK(judge({.status = 200, .header = rate, .body = "short", .content_type = "text/plain"}).empty());
    CHECK(judge({.status = 200, .header = {{"X-Rate", "fast"}}, .body = "too long", .content_type = "text/plain"}) ==
          Said{"/header/X-Rate must be integer, and is string #/paths/~1items~1{path}~1{id}/get/responses/200/headers/X-Rate/schema",
               "/body must have at most 5 characters #/paths/~1items~1{path}~1{id}/get/responses/200/content/text~1*/schema"});
    CHECK(judge({.status = 200, .body = 1, .content_type = "application/xml"}) ==
          Said{"/header/X-Rate is missing #/paths/~1items~1{path}~1{id}/get/responses/200/headers/X-Rate",
               "/content-type is application/xml; there is application/json, text/* #/paths/~1items~1{path}~1{id}/get/responses/200"});
    CHECK(judge({.status = 200, .header = rate}) == Said{"/body is missing #/paths/~1items~1{path}~1{id}/get/responses/200"});
    CHECK(judge({.status = 404}).empty());
    CHECK(judge({.status = 500}) == Said{"/status is 500, which is not described #/paths/~1items~1{path}~1{id}/get/responses"});
    CHECK(judge({.status = 200, .header = rate, .body = Map{{"kind", "Book"}, {"pages", 2}, {"secret", "s"}}, .content_type = "application/json"}) ==
          Said{"/body/secret is only for requests #/components/schemas/Book/properties/secret"});
}

TEST_CASE("no value of a call is in what is found", "[openapi]") {
    const std::string schema =
        "{type: object, properties: {a: {type: string, enum: [x], maxLength: 1, format: date}, b: {type: integer, maximum: 1}, c: {type: boolean}}}";
    const std::string words = to_string(check(schema, Map{{"a", "hunter2"}, {"b", 4711}, {"c", "hunter2"}}));
    CHECK(words.find("hunter2") == std::string::npos);
    CHECK(words.find("4711") == std::string::npos);
    CHECK(words.find("/body/a is none of \"x\" (#/paths/~1x/post/parameters/0/schema/properties/a)") != std::string::npos);
}

TEST_CASE("schemas may refer to each other in circles, but must not be made of themselves", "[openapi]") {
    const std::string_view circle =
        "definitions:\n  A: {type: object, properties: {b: {$ref: '#/definitions/B'}}}\n  B: {type: array, items: {$ref: '#/definitions/A'}}\n";
    CHECK(check("{$ref: '#/definitions/A'}", Map{{"b", List{Map{{"b", List{}}}}}}, circle).empty());
    CHECK(check("{$ref: '#/definitions/A'}", Map{{"b", List{Map{{"b", 1}}}}}, circle).size() == 1);

    for (const std::string_view bad : {"definitions: {A: {$ref: '#/definitions/A'}}\n",
                                       "definitions: {A: {allOf: [{$ref: '#/definitions/B'}]}, B: {anyOf: [{$ref: '#/definitions/A'}]}}\n",
                                       "definitions: {A: {not: {$ref: '#/definitions/A'}}}\n"}) {
        const Error error = failure(document("      parameters: [{name: b, in: body, schema: {$ref: '#/definitions/A'}}]\n", bad));
        INFO(error.what());
        CHECK(std::string_view{error.what()}.find("made of itself") != std::string_view::npos);
    }
    const Error chain = failure("swagger: '2.0'\ninfo: {title: T, version: '1'}\npaths:\n  /x: {$ref: '#/paths/~1x'}\n");
    CHECK(std::string_view{chain.what()}.find("leads to itself") != std::string_view::npos);
}

TEST_CASE("references to other documents are read through the caller, once each", "[openapi]") {
    std::vector<std::string> asked;
    ParseOptions options;
    options.location = "https://example.com/api/shop.yaml";
    options.resolver = [&](const std::string& location) -> std::string {
        asked.push_back(location);
        if (location.ends_with("/common.json"))
            return R"({"Order": {"type": "object", "properties": {"next": {"$ref": "#/Order"}, "money": {"$ref": "../money.yaml"}}}})";
        if (location.ends_with("/money.yaml")) return "type: string\npattern: '^\\d+ EUR$'\n";
        throw make_error(Errc::invalid_argument, "there is no such file");
    };
    const auto findings = check("{$ref: 'common.json#/Order'}", Map{{"next", Map{{"money", "x"}}}}, "", options);
    CHECK(said(findings) == Said{"/body/next/money does not match the pattern ^\\d+ EUR$ https://example.com/money.yaml#"});
    CHECK(asked == std::vector<std::string>{"https://example.com/api/common.json", "https://example.com/money.yaml"});

    const std::string missing = document("      parameters: [{$ref: 'none.yaml#/x'}]\n");
    CHECK(std::string_view{failure(missing, options).what()}.find("which cannot be read: INVALID-ARGUMENT: there is no such file") !=
          std::string_view::npos);
    CHECK(std::string_view{failure(missing).what()}.find("which cannot be read here") != std::string_view::npos);
    for (const char* elsewhere : {"file:///etc/passwd", "http://example.com/x.yaml", "resource://a:b"}) {
        const Error error = failure(document("      parameters: [{$ref: '" + std::string{elsewhere} + "#/x'}]\n"), options);
        CHECK(std::string_view{error.what()}.find("which a document from https: must not") != std::string_view::npos);
    }
    CHECK(asked.size() == 3);
    options.limits.documents = 1;
    CHECK_THROWS_AS(check("{$ref: 'common.json#/Order'}", Map{}, "", options), Error);
}

TEST_CASE("what is wrong with a document is told with pointer, line and column", "[openapi]") {
    struct Case {
        std::string_view text;
        std::string_view words;
    };
    const std::string two_ids = document("      operationId: a\n") + "  /y: {get: {operationId: a, responses: {200: {description: ok}}}}\n";
    const std::string nowhere = document("      parameters: [{name: b, in: body, schema: {$ref: '#/definitions/None'}}]\n");
    const std::string pattern = document("      parameters: [{name: b, in: query, type: string, pattern: '('}]\n");
    const Case cases[] = {
        {"", "it is empty"},
        {"[1]", "at its root: an API description is a map"},
        {"a: 1\n", "it has neither swagger: '2.0' nor openapi: 3.0.x"},
        {"{\"swagger\": \"2.0\",\n \"info\": {\"title\": \"T\", \"version\": \"1\"},\n \"paths\": 5}",
         "line 3, column 11, at /paths: paths, a map, is missing"},
        {"swagger: 2.0\ninfo: {title: T, version: '1'}\npaths: {}\n", "line 1, column 10, at /swagger: the version must be text; put it in quotes"},
        {"openapi: 4.0.0\n", "version 4.0.0 is not known"},
        {"openapi: '3.1.0'\ninfo: {title: T, version: '1'}\npaths: {}\n", "OpenAPI 3.1 is not known; lax reads it as 3.0"},
        {"swagger: '2.0'\npaths: {}\n", "info with title and version is missing"},
        {"a: [\n", "it is no YAML"},
        {"{\"a\": 1,, }", "it is no JSON"},
        {two_ids, "line 8, column 27, at /paths/~1y/get/operationId: there are two operations of this id"},
        {nowhere, "line 6, column 48, at /paths/~1x/post/parameters/0/schema: it refers to '#/definitions/None', where nothing is"},
        {pattern, "the pattern is no regular expression: missing closing parenthesis at offset 1"},
    };
    for (const Case& one : cases) {
        const Error error = failure(one.text, {.location = "shop.yaml"});
        INFO(error.what());
        CHECK(error.name() == "SWAGGER-SCHEMA-ERROR");
        CHECK(error.code() == OpenApiErrc::document);
        CHECK(error.message().starts_with("the API description 'shop.yaml' cannot be used: "));
        CHECK(error.message().find(one.words) != std::string_view::npos);
        CHECK(error.detail<DocumentErrorDetail>() != nullptr);
    }
}

TEST_CASE("lax takes documents with harmless faults, and tells them", "[openapi]") {
    constexpr std::string_view k_sloppy = R"yaml(swagger: 2.0
basePath: v1
paths:
  orders/{id}/{more}:
    get:
      operationId: a
      parameters:
        - {name: id, in: path, type: string, required: false}
        - {name: left, in: path, type: string, required: true}
        - {name: n, in: query, type: any, minimum: 'x'}
    GET:
      operationId: a
  /list:
    get:
      responses:
        200:
          schema: {type: array, required: true}
)yaml";
    const Error error = failure(k_sloppy);
    CHECK(error.detail<DocumentErrorDetail>()->faults.size() > 8);
    const auto document = Document::parse(k_sloppy, {.lax = true});
    CHECK(document->warnings().size() == error.detail<DocumentErrorDetail>()->faults.size());
    CHECK(document->warnings().front().line == 1);
    CHECK(document->base_path() == "/v1");
    CHECK(document->operations().size() == 2);
    CHECK(document->match("GET", "/orders/1/2?more=1")->operation->id == "a");
    CHECK(document->check_request(*document->find("a"), document->match("GET", "/orders/1/2?more=1&n=x")->request).empty());

    ParseOptions lax;
    lax.lax = true;
    const auto within = [&](std::string_view limits, const Value& number) {
        return check("{type: number, " + std::string{limits} + "}", number, "", lax).empty();
    };
    CHECK(within("exclusiveMaximum: 10", 9.5));
    CHECK_FALSE(within("exclusiveMaximum: 10", 10));
    CHECK_FALSE(within("maximum: 20, exclusiveMaximum: 10", 10));
    CHECK(within("minimum: 5, exclusiveMinimum: 1", 5));
    CHECK_FALSE(within("minimum: 5, exclusiveMinimum: 1", 4));

    const auto shop = Document::parse(k_shop2, {.lax = true, .base_path = "/other/"});
    CHECK(shop->warnings().empty());
    CHECK(shop->base_path() == "/other");
    Request request = with_body(Map{{"id", 1}, {"sku", "A-1"}});
    request.header.set("X-Request-Id", "123e4567-e89b-12d3-a456-426614174000");
    CHECK(shop->check_request(*shop->find("addOrder"), request).empty());
}

TEST_CASE("hostile documents and bodies meet limits", "[openapi]") {
    std::string schemas = "definitions:\n  A0: {type: string}\n";
    for (int i = 1; i < 40; ++i)
        schemas += "  A" + std::to_string(i) + ": {anyOf: [{$ref: '#/definitions/A" + std::to_string(i - 1) + "'}, {$ref: '#/definitions/A" +
                   std::to_string(i - 1) + "'}]}\n";
    ParseOptions options;
    options.limits.steps = 10'000;
    CHECK_THROWS_AS(check("{$ref: '#/definitions/A39'}", 1, schemas, options), Error);

    std::string chain = "definitions:\n  A0: {type: string}\n";
    for (int i = 1; i < 3000; ++i) chain += "  A" + std::to_string(i) + ": {allOf: [{$ref: '#/definitions/A" + std::to_string(i - 1) + "'}]}\n";
    CHECK_THROWS_AS(check("{$ref: '#/definitions/A2999'}", "x", chain), Error);

    std::string laughs = "a: &a0 [x]\n";
    for (int i = 1; i < 40; ++i)
        laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + ", *a" + std::to_string(i - 1) + "]\n";
    CHECK(failure(laughs).reason() == Reason::limit);
    CHECK(failure(std::string(200, '[') + std::string(200, ']')).reason() == Reason::limit);
    options.limits.schemas = 3;
    CHECK_THROWS_AS(check("{type: object, properties: {a: {type: string}, b: {type: string}, c: {type: string}}}", Map{}, "", options), Error);
    options.limits.findings = 2;
    options.limits.schemas = 100;
    CHECK(check("{type: array, items: {type: string}}", List{1, 2, 3, 4}, "", options).size() == 2);
    CHECK(said(check("{type: string, pattern: '^(a+)+$'}", std::string(64, 'a') + "b")).front().find("cannot be judged") != std::string::npos);
}
