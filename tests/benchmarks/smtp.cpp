// SPDX-License-Identifier: Apache-2.0
// Mail to a server: bench_smtp ours|single|many|curl HOST PORT COUNT BYTES; one line with wall time and processor time.
//   ours: COUNT messages of BYTES by one send_all; single: one send each, over one session; curl: the same bytes by libcurl, over one session
//   many: an async_send each, over as many sessions as a client has by default
// smtp.sh runs them in turn against aiosmtpd and Exim.
#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <string>
#include <vector>

#include <qconn/mail/smtp_client.hpp>

#include "benchmarks/measure.hpp"

using namespace qconn;

namespace {

MailMessage message_of(std::size_t bytes) {
    MailMessage message;
    message.from = {"Reports", "reports@example.com"};
    message.to = {{"", "jane@example.com"}};
    message.subject = "A message of the benchmark";
    while (message.text.size() < bytes) message.text += "A line of the text that is like the others, of seventy characters in all\n";
    message.text.resize(bytes);
    return message;
}

bool by_qconn(const char* host, std::uint16_t port, std::size_t count, const MailMessage& message, bool together) {
    SmtpOptions options;
    options.host = host;
    options.port = port;
    options.security = SmtpTls::none;
    options.max_sessions = 1;
    SmtpClient client{options};
    if (!together) {
        for (std::size_t i = 0; i < count; ++i) client.send(message);
        return true;
    }
    const std::vector<MailMessage> all(count, message);
    const auto outcomes = client.send_all(all);
    return std::all_of(outcomes.begin(), outcomes.end(), [](const auto& one) { return one.has_value(); });
}

bool by_many(const char* host, std::uint16_t port, std::size_t count, const MailMessage& message) {
    SmtpOptions options;
    options.host = host;
    options.port = port;
    options.security = SmtpTls::none;
    std::promise<void> over;
    std::atomic<std::size_t> left{count};
    std::atomic<std::size_t> failed{0};
    SmtpClient client{options};
    for (std::size_t i = 0; i < count; ++i) {
        client.async_send(message, {}, {}, [&](const Result<SmtpReceipt>& result) {
            if (!result) ++failed;
            if (--left == 0) over.set_value();
        });
    }
    over.get_future().wait();
    return failed == 0;
}

struct Upload {
    const std::string& text;
    std::size_t at{0};
};

std::size_t give(char* to, std::size_t size, std::size_t count, void* from) {
    auto& upload = *static_cast<Upload*>(from);
    const std::size_t n = std::min(size * count, upload.text.size() - upload.at);
    std::memcpy(to, upload.text.data() + upload.at, n);
    upload.at += n;
    return n;
}

bool by_curl(const char* host, std::uint16_t port, std::size_t count, const std::string& text) {
    CURL* const curl = curl_easy_init();
    const std::string url = std::string{"smtp://"} + host + ':' + std::to_string(port);
    curl_slist* const recipients = curl_slist_append(nullptr, "<jane@example.com>");
    bool good = true;
    for (std::size_t i = 0; i < count && good; ++i) {
        Upload upload{text};
        curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<reports@example.com>");
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
        curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(text.size()));
        good = curl_easy_perform(curl) == CURLE_OK;
    }
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    return good;
}

}  // namespace

int main(int count, char** words) {
    if (count < 6) {
        std::fputs("bench_smtp ours|single|many|curl HOST PORT COUNT BYTES\n", stderr);
        return 2;
    }
    const std::string what = words[1];
    const auto port = static_cast<std::uint16_t>(std::atoi(words[3]));
    const auto messages = static_cast<std::size_t>(std::atoll(words[4]));
    const MailMessage message = message_of(static_cast<std::size_t>(std::atoll(words[5])));
    const std::string text = mail_text(message);
    curl_global_init(CURL_GLOBAL_ALL);
    const double begun = bench::seconds_of(CLOCK_MONOTONIC);
    const double used = bench::process_seconds();
    bool good = false;
    try {
        good = what == "curl"   ? by_curl(words[2], port, messages, text)
               : what == "many" ? by_many(words[2], port, messages, message)
                                : by_qconn(words[2], port, messages, message, what == "ours");
    } catch (const Error& error) { std::fprintf(stderr, "%s\n", error.what()); }
    if (!good) return 1;
    std::printf("%.4f %.4f\n", bench::seconds_of(CLOCK_MONOTONIC) - begun, bench::process_seconds() - used);
    return 0;
}
