// SPDX-License-Identifier: Apache-2.0
// Time and allocations of a message of 100 bytes of text to bytes, and of bytes to a view or a message. Medians of 9.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include <qconn/amqp/amqp_message.hpp>

#include "amqp/message_view.hpp"
#include "benchmarks/measure.hpp"

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* const got = std::malloc(size)) return got;
    throw std::bad_alloc{};
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }

namespace {

using namespace qconn;
using amqp::MessageView;

constexpr int k_samples = 9;
constexpr int k_rounds = 1'000'000;

std::size_t sink = 0;  // so that nothing is left out

template <class Work>
void measure(const char* what, Work work) {
    std::vector<double> seconds;
    const std::size_t before = allocations;
    for (int sample = 0; sample < k_samples; ++sample) {
        const double begin = bench::thread_seconds();
        for (int i = 0; i < k_rounds; ++i) sink += work();
        seconds.push_back(bench::thread_seconds() - begin);
    }
    const double each = static_cast<double>(allocations - before) / k_samples / k_rounds;
    std::printf("%-44s %6.1f ns, %.1f allocations\n", what, bench::median(seconds) / k_rounds * 1e9, each);
}

}  // namespace

int main() {
    const AmqpMessage text = AmqpMessage::of_text(std::string(100, 'x'));
    AmqpMessage usual = text;
    usual.header.emplace().durable = true;
    usual.properties.emplace().message_id = "id-0000000000001";
    usual.properties->to = "queue";
    usual.properties->content_type = AmqpSymbol{"text/plain"};
    std::string buffer;
    buffer.reserve(4096);
    const auto encode = [&buffer](const AmqpMessage& message) {
        buffer.clear();
        message.encode(buffer);
        return buffer.size();
    };
    encode(text);
    const std::string short_one = buffer;
    encode(usual);
    const std::string long_one = buffer;

    std::puts("100 bytes of text");
    measure("  encode", [&] { return encode(text); });
    measure("  text of a view", [&] { return MessageView{short_one}.text().size(); });
    measure("  decode", [&] { return AmqpMessage::decode(short_one).text().size(); });
    std::puts("the same with a header and three properties");
    measure("  encode", [&] { return encode(usual); });
    measure("  text of a view", [&] { return MessageView{long_one}.text().size(); });
    measure("  text and message-id of a view", [&] {
        const MessageView view{long_one};
        return view.text().size() + view.message_id().body.size();
    });
    measure("  properties of a view", [&] { return MessageView{long_one}.properties()->to->size(); });
    measure("  decode", [&] { return AmqpMessage::decode(long_one).text().size(); });
    return sink == 0 ? 1 : 0;
}
