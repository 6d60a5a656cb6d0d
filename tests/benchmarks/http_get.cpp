// SPDX-License-Identifier: Apache-2.0
// CPU time of one blocking GET of 1 KiB on a kept connection, body undecoded: HttpClient against curl_easy_perform with the same options.
// The two take turns; each turn is one sample of both, and the ratio of the medians is what counts. The server is a process of its own.
#include <curl/curl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <qconn/http/http_client.hpp>

namespace {

constexpr int k_samples = 15;
constexpr int k_requests = 3000;
constexpr std::size_t k_body = 1024;

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Answers every request with the head that nginx would send and 1 KiB.
[[noreturn]] void serve(int listener) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string answer =
        "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: "
        "application/octet-stream\r\nContent-Length: " +
        std::to_string(k_body) +
        "\r\nLast-Modified: Sun, 22 Nov 2026 11:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"6740\"\r\nAccept-Ranges: bytes\r\n\r\n" +
        std::string(k_body, 'x');
    while (true) {
        const int fd = accept(listener, nullptr, nullptr);
        if (fd < 0) _exit(1);
        if (fork() != 0) {
            close(fd);
            continue;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        char block[4096];
        while (recv(fd, block, sizeof block, 0) > 0) send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
        _exit(0);
    }
}

std::size_t append(char* data, std::size_t, std::size_t size, void* out) {
    static_cast<std::string*>(out)->append(data, size);
    return size;
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

}  // namespace

int main() {
    signal(SIGCHLD, SIG_IGN);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(listener, 16) != 0) return 1;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    const pid_t server = fork();
    if (server == 0) serve(listener);
    const std::string base = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));

    int status = 0;
    {
        qconn::HttpOptions options;
        options.url = base;
        options.accept_codings.clear();
        qconn::HttpClient client{options};
        qconn::HttpRequest request;
        request.path = "/file";

        CURL* easy = curl_easy_init();
        std::string body;
        curl_slist* headers = curl_slist_append(nullptr, "User-Agent: qconn/0.1");
        headers = curl_slist_append(headers, "Accept: */*");
        curl_easy_setopt(easy, CURLOPT_URL, (base + "/file").c_str());
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 45'000L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);

        const auto ours = [&] {
            const double start = cpu_seconds();
            for (int i = 0; i < k_requests; ++i) {
                if (client.request(request).body.size() != k_body) status = 1;
            }
            return (cpu_seconds() - start) / k_requests * 1e6;
        };
        const auto rival = [&] {
            const double start = cpu_seconds();
            for (int i = 0; i < k_requests; ++i) {
                std::string fresh;
                body.swap(fresh);
                if (curl_easy_perform(easy) != CURLE_OK || body.size() != k_body) status = 1;
            }
            return (cpu_seconds() - start) / k_requests * 1e6;
        };
        std::vector<double> mine;
        std::vector<double> theirs;
        ours();
        rival();
        for (int i = 0; i < k_samples; ++i) {
            mine.push_back(ours());
            theirs.push_back(rival());
        }
        const double a = median(mine);
        const double b = median(theirs);
        std::printf("http_get: HttpClient %.2f us, curl_easy_perform %.2f us CPU a request, ratio %.3f (at most 1.10), median of %d\n", a, b, a / b,
                    k_samples);
        if (a / b > 1.10) status = 2;
        curl_slist_free_all(headers);
        curl_easy_cleanup(easy);
    }
    kill(server, SIGKILL);
    return status;
}
