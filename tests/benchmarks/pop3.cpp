// SPDX-License-Identifier: Apache-2.0
// A mailbox emptied into memory: bench_pop3 qconn|libcurl HOST PORT USER PASSWORD none|tls COUNT; one line with wall time and processor time.
//   qconn: process() that leaves all; libcurl: an easy handle that is kept, LIST and then one transfer a message
// pop3.sh runs both in turn.
#include <curl/curl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <qconn/mail/pop3_client.hpp>

#include "benchmarks/measure.hpp"

using namespace qconn;

namespace {

std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, size * count);
    return size * count;
}

std::uint64_t by_libcurl(const std::string& base, const char* user, const char* password, bool tls, int count) {
    CURL* const easy = curl_easy_init();
    std::string text;
    curl_easy_setopt(easy, CURLOPT_USERNAME, user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &text);
    if (tls) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl_easy_setopt(easy, CURLOPT_URL, base.c_str());
    std::uint64_t bytes = 0;
    bool good = curl_easy_perform(easy) == CURLE_OK;
    for (int i = 1; good && i <= count; ++i) {
        text.clear();
        curl_easy_setopt(easy, CURLOPT_URL, (base + std::to_string(i)).c_str());
        good = curl_easy_perform(easy) == CURLE_OK;
        bytes += text.size();
    }
    curl_easy_cleanup(easy);
    return good ? bytes : 0;
}

}  // namespace

int main(int argc, char** words) {
    if (argc < 8) {
        std::fputs("bench_pop3 qconn|libcurl HOST PORT USER PASSWORD none|tls COUNT\n", stderr);
        return 2;
    }
    const bool ours = std::strcmp(words[1], "qconn") == 0;
    const bool tls = std::strcmp(words[6], "tls") == 0;
    const int count = std::atoi(words[7]);
    if (!ours) curl_global_init(CURL_GLOBAL_ALL);
    const double begun = bench::seconds_of(CLOCK_MONOTONIC);
    const double used = bench::process_seconds();
    std::uint64_t bytes = 0;
    if (ours) {
        Pop3Options options;
        options.host = words[2];
        options.port = static_cast<std::uint16_t>(std::atoi(words[3]));
        options.username = words[4];
        options.password = Secret{std::string{words[5]}};
        options.security = tls ? Pop3Tls::implicit : Pop3Tls::none;
        options.tls.verify = false;
        Pop3Client client{options};
        const Pop3Processed done = client.process([](Pop3Message&) { return Pop3Verdict::leave; });
        if (done.left != static_cast<std::size_t>(count)) return 1;
        bytes = done.bytes;
    } else {
        bytes = by_libcurl(std::string{tls ? "pop3s://" : "pop3://"} + words[2] + ':' + words[3] + '/', words[4], words[5], tls, count);
        if (bytes == 0) return 1;
    }
    std::printf("%.4f %.4f %llu\n", bench::seconds_of(CLOCK_MONOTONIC) - begun, bench::process_seconds() - used,
                static_cast<unsigned long long>(bytes));
    return 0;
}
