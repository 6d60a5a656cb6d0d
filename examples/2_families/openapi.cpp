// SPDX-License-Identifier: Apache-2.0
// A RestClient with a description of the API: operations by name, and wrong calls told before they are sent.
//
//     openapi URL
#include <iostream>
#include <qconn/rest/rest_client.hpp>

using namespace std::chrono_literals;

constexpr const char* k_orders = R"yaml(
swagger: '2.0'
info: {title: Orders, version: '1'}
consumes: [application/json]
paths:
  /order-{id}.json:
    parameters:
      - {name: id, in: path, required: true, type: integer}
    put:
      operationId: putOrder
      summary: Stores an order
      parameters:
        - {name: order, in: body, required: true, schema: {$ref: '#/definitions/Order'}}
      responses: {201: {description: stored}, 204: {description: stored again}}
    get:
      operationId: getOrder
      responses: {200: {description: the order, schema: {$ref: '#/definitions/Order'}}}
    delete:
      operationId: deleteOrder
      responses: {204: {description: gone}}
definitions:
  Order:
    type: object
    required: [sku]
    properties:
      sku: {type: string, pattern: '^[A-Z]-\d+$'}
      count: {type: integer, minimum: 1}
)yaml";

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: openapi URL\n";
        return 2;
    }
    try {
        qconn::RestOptions options;
        options.url = argv[1];
        options.validator = qconn::openapi::Document::parse(k_orders);
        qconn::RestClient client{options};
        for (const auto& operation : options.validator->operations())
            std::cout << operation.id << ": " << operation.method << ' ' << operation.path << '\n';

        client.call_operation("putOrder", {{"id", 17}, {"sku", "A-1"}, {"count", 2}}, 10s);
        std::cout << "count: " << client.get("order-17.json", 10s).body["count"] << '\n';
        try {
            client.put("order-17.json", qconn::Map{{"sku", "shoes"}, {"count", 0}}, 10s);
        } catch (const qconn::Error& error) {
            const auto* detail = error.detail<qconn::openapi::ValidationErrorDetail>();
            if (detail == nullptr) throw;
            for (const auto& finding : detail->findings) std::cout << finding.instance << ' ' << finding.message << '\n';
        }
        client.call_operation("deleteOrder", {{"id", 17}}, 10s);
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
