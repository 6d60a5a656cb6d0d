// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate_offer.hpp"

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::websocket;

TEST_CASE("compression is offered as it is wanted", "[websocket]") {
    CHECK(deflate_offer({}) == "permessage-deflate; client_max_window_bits");

    WebSocketCompression wanted;
    wanted.server_window_bits = 10;
    wanted.client_window_bits = 9;
    wanted.server_no_context_takeover = wanted.client_no_context_takeover = true;
    CHECK(deflate_offer(wanted) ==
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9");

    wanted.enabled = false;
    CHECK(deflate_offer(wanted) == "");
}

TEST_CASE("what a server agrees to is taken, in any spelling", "[websocket]") {
    CHECK_FALSE(read_deflate_answer({}, "").agreed.enabled);
    CHECK_FALSE(read_deflate_answer({}, " , ").agreed.enabled);

    const DeflateAnswer plain = read_deflate_answer({}, "permessage-deflate");
    CHECK(plain.problem == "");
    CHECK(plain.agreed == Deflate{true, 15, 15, false, false});

    const DeflateAnswer full = read_deflate_answer(
        {}, "Permessage-Deflate ;server_max_window_bits=\"8\"; CLIENT_max_window_bits = 11;client_no_context_takeover; server_no_context_takeover ,");
    CHECK(full.problem == "");
    CHECK(full.agreed == Deflate{true, 11, 8, true, true});
}

TEST_CASE("what was asked for of the client stands also where the server does not repeat it", "[websocket]") {
    WebSocketCompression wanted;
    wanted.client_window_bits = 10;
    wanted.client_no_context_takeover = true;

    const DeflateAnswer answer = read_deflate_answer(wanted, "permessage-deflate");

    CHECK(answer.problem == "");
    CHECK(answer.agreed == Deflate{true, 10, 15, true, false});
}

TEST_CASE("an agreement to what was not offered is refused, and says what", "[websocket]") {
    WebSocketCompression narrow;
    narrow.server_window_bits = 10;
    WebSocketCompression fresh;
    fresh.server_no_context_takeover = true;
    WebSocketCompression none;
    none.enabled = false;
    struct Case {
        WebSocketCompression wanted;
        const char* answer;
        const char* words;
    };
    const Case cases[] = {
        {none, "permessage-deflate", "was not offered"},
        {{}, "x-webkit-deflate-frame", "\"x-webkit-deflate-frame\", which was not offered"},
        {{}, "permessage-deflate, permessage-deflate", "twice"},
        {{}, "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", "came twice"},
        {{}, "permessage-deflate; server_max_window_bits", "no value from 8 to 15"},
        {{}, "permessage-deflate; server_max_window_bits=7", "no value from 8 to 15"},
        {{}, "permessage-deflate; client_max_window_bits=16", "no value from 8 to 15"},
        {{}, "permessage-deflate; client_max_window_bits=09", "no value from 8 to 15"},
        {{}, "permessage-deflate; client_max_window_bits=\"9", "no value from 8 to 15"},
        {{}, "permessage-deflate; client_no_context_takeover=1", "has a value"},
        {{}, "permessage-deflate; window=3", "is not known"},
        {{}, "permessage-deflate;", "is not known"},
        {narrow, "permessage-deflate; server_max_window_bits=11", "more than was asked for"},
        {narrow, "permessage-deflate", "not to server_max_window_bits"},
        {fresh, "permessage-deflate", "not to server_no_context_takeover"},
    };
    for (const Case& one : cases) {
        INFO(one.answer);
        CHECK(read_deflate_answer(one.wanted, one.answer).problem.find(one.words) != std::string::npos);
    }
}
