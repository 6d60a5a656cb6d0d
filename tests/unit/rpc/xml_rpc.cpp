// SPDX-License-Identifier: Apache-2.0
#include "rpc_texts.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

const rpc::Dialect k_xml = dialect(RpcProtocol::xml);
const rpc::Dialect k_extended = dialect(RpcProtocol::xml, "2.0", true);
const std::string k_declaration = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

std::string response(const std::string& inside) { return "<?xml version=\"1.0\"?>\n<methodResponse>" + inside + "</methodResponse>"; }
std::string result(const std::string& value) { return response("<params><param><value>" + value + "</value></param></params>"); }

rpc::Requests requests_in(std::string_view text) { return rpc::protocol_of(RpcProtocol::xml).read_requests(text); }

}  // namespace

TEST_CASE("an XML-RPC call is written as the specification has it", "[rpc]") {
    CHECK(written(k_xml, {"examples.getStateName", List{41}}) ==
          k_declaration +
              "<methodCall><methodName>examples.getStateName</methodName><params><param><value><i4>41</i4></value></param></params></methodCall>\n");
    CHECK(written(k_xml, {"now"}) == k_declaration + "<methodCall><methodName>now</methodName><params></params></methodCall>\n");
    CHECK(written(k_xml, {"put", Map{{"a", true}}}).find("<param><value><struct><member><name>a</name><value><boolean>1</boolean></value>") !=
          std::string::npos);
    CHECK(written(k_xml, {"big", List{5'000'000'000LL, nullptr}}).find("<value><string>5000000000</string></value></param><param><value/>") !=
          std::string::npos);
    CHECK(
        written(k_extended, {"big", List{5'000'000'000LL, nullptr}}).find("<value><i8>5000000000</i8></value></param><param><value><nil/></value>") !=
        std::string::npos);
}

TEST_CASE("a method's name cannot break out of an XML-RPC call", "[rpc]") {
    CHECK(written(k_xml, {"a</methodName><x>&"}).find("<methodName>a&lt;/methodName&gt;&lt;x&gt;&amp;</methodName>") != std::string::npos);
    CHECK(refusal(k_xml, {"a\r\nHost: x"}).name() == "XMLRPC-SERIALIZATION-ERROR");
    CHECK(refusal(k_xml, {"put", List{Duration{1, 0, 0}}}).name() == "XMLRPC-SERIALIZATION-ERROR");
    CHECK(refusal(k_xml, {"put", List{Map{{"", 1}}}}).message().find("the parameters of put") == 0);
}

TEST_CASE("every type of XML-RPC is read", "[rpc]") {
    const std::vector<std::pair<std::string, Value>> types{
        {"<int>42</int>", 42},
        {"<i4>-7</i4>", -7},
        {"<i8>9223372036854775807</i8>", 9223372036854775807LL},
        {"<ex:i8 xmlns:ex=\"http://ws.apache.org/xmlrpc/namespaces/extensions\">5</ex:i8>", 5},
        {"<boolean>1</boolean>", true},
        {"<double>2.5</double>", 2.5},
        {"<double>3</double>", 3.0},
        {"<ex:float xmlns:ex=\"x\">0.5</ex:float>", 0.5},
        {"<string>&lt;é&#10;&amp;</string>", "<é\n&"},
        {"<string/>", ""},
        {"plain", "plain"},
        {"", nullptr},
        {"<nil/>", nullptr},
        {"<ex:nil xmlns:ex=\"x\"/>", nullptr},
        {"<base64>\nAP8Q\n</base64>", Value::binary(std::string_view{"\x00\xFF\x10", 3})},
        {"<dateTime.iso8601>20200229T12:34:56</dateTime.iso8601>", Timestamp{1582979696, 0, 0, false}},
        {"<array><data><value><int>1</int></value><value>x</value></data></array>", List{1, "x"}},
        {"<array><data/></array>", List{}},
        {"<struct><member><name>a</name><value><int>1</int></value></member></struct>", Map{{"a", 1}}},
        {"<struct/>", Map{}},
    };
    for (const auto& [text, value] : types) CHECK(result_in(k_xml, result(text)) == value);
    CHECK(result_in(k_xml, response("<params/>")).is_null());
}

TEST_CASE("XML-RPC faults are read", "[rpc]") {
    const auto fault = [](const std::string& code, const std::string& text) {
        return response("<fault><value><struct><member><name>faultCode</name><value>" + code +
                        "</value></member><member><name>faultString</name><value>" + text + "</value></member></struct></value></fault>");
    };
    CHECK(fault_in(k_xml, fault("<int>4</int>", "<string>Too many parameters.</string>")) == rpc::Fault{4, "Too many parameters."});
    CHECK(fault_in(k_xml, fault("<i4>-32601</i4>", "é")) == rpc::Fault{-32601, "é"});
    CHECK(error_in(k_xml, fault("x", "y")).name() == "XMLRPCCLIENT-RESPONSE-ERROR");
    CHECK(error_in(k_xml, response("<fault><value/></fault>")).name() == "XMLRPCCLIENT-RESPONSE-ERROR");
    CHECK(error_in(k_xml, response("<fault/>")).code() == RpcErrc::parse);
}

TEST_CASE("what is no answer to an XML-RPC call says why", "[rpc]") {
    const std::string one = "<param><value>x</value></param>";
    const std::vector<std::pair<std::string, std::string>> cases{
        {response("<params>" + one + "</params><fault/>"), "<params> and a <fault>"},
        {response(""), "neither <params> nor a <fault>"},
        {response("<params>" + one + one + "</params>"), "more than one result"},
        {"<html><body>x</body></html>", "a <html> instead of a <methodResponse>"},
    };
    for (const auto& [text, words] : cases) {
        const Error error = error_in(k_xml, text);
        CHECK(error.name() == "XMLRPCCLIENT-RESPONSE-ERROR");
        CHECK(error.message().find(words) != std::string_view::npos);
    }
    for (const std::string& text : {std::string{}, std::string{"<methodResponse>"}, std::string{"{}"}, result("<int>x</int>"),
                                    result("<int>99999999999999999999</int>"), result("<what>1</what>"), response("<params><param/></params>")}) {
        INFO(text);
        CHECK(error_in(k_xml, text).name() == "PARSE-XMLRPC-RESPONSE-ERROR");
    }
    check_every_beginning(k_xml, result("<array><data><value><i4>1</i4></value></data></array>"));
}

TEST_CASE("nothing in an XML-RPC text can grow or reach outside", "[rpc]") {
    const std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    CHECK(error_in(k_xml, bomb + result("&b;")).code() == RpcErrc::parse);
    CHECK(error_in(k_xml, "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>" + result("&a;")).code() == RpcErrc::parse);
    CHECK(error_in(k_xml, result("&undeclared;")).code() == RpcErrc::parse);
    std::string deep;
    for (int i = 0; i < 400; ++i) deep += "<array><data><value>";
    CHECK(error_in(k_xml, result(deep)).reason() == Reason::limit);
    CHECK(requests_in(bomb + "<methodCall><methodName>&b;</methodName></methodCall>").all[0].fault->code == rpc::k_parse_error);

    Value nested{1};
    for (int i = 0; i < 150; ++i) nested = List{std::move(nested)};
    CHECK(requests_in(written(k_xml, {"deep", List{nested}})).all[0].params[0] == nested);  // what is written is not too deep to be read
    for (int i = 0; i < 50; ++i) nested = List{std::move(nested)};
    CHECK(refusal(k_xml, {"deep", List{nested}}).code() == RpcErrc::serialization);
}

TEST_CASE("several XML-RPC calls in one are system.multicall", "[rpc]") {
    const std::vector<RpcCall> calls{{"add", List{1, 2}}, {"one", "x"}, {"none"}};
    const rpc::Requests requests = requests_in(written(k_xml, calls));
    REQUIRE(requests.all.size() == 1);
    CHECK(requests.all[0].method == "system.multicall");
    CHECK(requests.all[0].params ==
          Value{List{Value{List{Map{{"methodName", "add"}, {"params", List{1, 2}}}, Map{{"methodName", "one"}, {"params", List{"x"}}},
                                Map{{"methodName", "none"}, {"params", List{}}}}}}});

    const std::vector<rpc::Expected> expected{{"add"}, {"one"}, {"none"}};
    const auto multi = [&](Value list) { return served(RpcProtocol::xml, requests, {std::move(list)}); };
    const auto answer = read(k_xml, multi(List{List{3}, Map{{"faultCode", 7}, {"faultString", "m"}}, List{nullptr}}), expected);
    REQUIRE(answer);
    CHECK(std::get<Value>(*answer->outcomes[0]) == Value{3});
    CHECK(std::get<rpc::Fault>(*answer->outcomes[1]) == rpc::Fault{7, "m"});
    CHECK(std::get<Value>(*answer->outcomes[2]).is_null());

    const auto odd = read(k_xml, multi(List{List{3}, List{1, 2}, "x"}), expected);
    REQUIRE(odd);
    CHECK(odd->outcomes[0]);
    CHECK(odd->outcomes[1].error().code() == RpcErrc::response);
    CHECK(odd->outcomes[2].error().code() == RpcErrc::response);
    CHECK_FALSE(read(k_xml, multi(List{Value{List{3}}}), expected));
    CHECK_FALSE(read(k_xml, multi("x"), expected));
    const auto refused = read(k_xml, served(RpcProtocol::xml, requests, {rpc::Fault{1, "no such method"}}), expected);
    REQUIRE(refused);
    CHECK(refused->refused == rpc::Fault{1, "no such method"});
}

TEST_CASE("what the client's half writes the server's half of XML-RPC reads, and the other way round", "[rpc]") {
    const List values{42,
                      9'000'000'000LL,
                      nullptr,
                      true,
                      2.5,
                      "<é&\r\n\t>",
                      Value::binary("\xFF\x01"),
                      Timestamp{1582979696, 0, 0, false},
                      List{1, List{}},
                      Map{{"k", Map{}}}};
    const rpc::Requests requests = requests_in(written(k_extended, {"echo", values}));
    REQUIRE(requests.all.size() == 1);
    CHECK(requests.all[0].params == Value{values});
    CHECK(result_in(k_xml, served(RpcProtocol::xml, requests, {Value{values}})) == Value{values});
    CHECK(fault_in(k_xml, served(RpcProtocol::xml, requests, {rpc::Fault{5, "m<"}})) == rpc::Fault{5, "m<"});
}

TEST_CASE("an XML-RPC server's half says what it cannot read", "[rpc]") {
    for (const auto& [text, code] : std::vector<std::pair<std::string, std::int64_t>>{
             {"<", rpc::k_parse_error},
             {"<methodCall/>", rpc::k_invalid_request},
             {"<methodCall><methodName> </methodName></methodCall>", rpc::k_invalid_request},
             {"<other><methodName>m</methodName></other>", rpc::k_invalid_request},
             {"<methodCall><methodName>m</methodName><params><param/></params></methodCall>", rpc::k_invalid_request}}) {
        INFO(text);
        const rpc::Requests requests = requests_in(text);
        REQUIRE(requests.all.at(0).fault);
        CHECK(requests.all[0].fault->code == code);
        CHECK(fault_in(k_xml, served(RpcProtocol::xml, requests, {Value{}})).code == code);
    }
}
