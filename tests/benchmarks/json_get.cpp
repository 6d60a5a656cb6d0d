// SPDX-License-Identifier: Apache-2.0
// CPU time of a GET whose JSON becomes a value: RestClient against libcurl with nlohmann's parser, one call after the other with 1 KiB and 64 KiB,
// and 100 in flight (the asynchronous form, against a loop around curl_multi). Both take turns; what counts is the ratio of the medians. The server
// is a process of its own.
#include <curl/curl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/rest/rest_client.hpp>

#include "benchmarks/measure.hpp"

namespace {

using namespace qconn;

constexpr int k_samples = 9;
constexpr int k_in_flight = 100;

std::string orders(std::size_t bytes) {
    std::string text = "{\"orders\":[";
    for (int i = 0; text.size() < bytes - 100; ++i) {
        text += i == 0 ? "" : ",";
        text += R"({"id":)" + std::to_string(100'000 + i) +
                R"(,"customer":"Müller & Söhne","paid":true,"total":19.75,"note":null,"lines":[{"sku":"A-1","count":2}]})";
    }
    return text + "]}";
}

std::string answer_of(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\nConnection: keep-alive\r\n\r\n" + body;
}

/// The server has a core of its own, as on a machine of its own: whether it shares ours changes a request's time by a third from run to run.
void stay_on_core(int core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);  // where there is only one core it stays as it was
}

[[noreturn]] void serve(int listener) {
    stay_on_core(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string small = answer_of(orders(1024));
    const std::string large = answer_of(orders(65'536));
    while (true) {
        const int fd = accept(listener, nullptr, nullptr);
        if (fd < 0) _exit(1);
        if (fork() != 0) {
            close(fd);
            continue;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        char block[4096];
        while (true) {
            const ssize_t got = recv(fd, block, sizeof block, 0);
            if (got <= 0) _exit(0);
            std::string_view rest = std::string_view{block, static_cast<std::size_t>(got)}.starts_with("GET /s") ? small : large;
            while (!rest.empty()) {
                const ssize_t put = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
                if (put <= 0) _exit(0);
                rest.remove_prefix(static_cast<std::size_t>(put));
            }
        }
    }
}

std::size_t append(char* data, std::size_t, std::size_t size, void* out) {
    static_cast<std::string*>(out)->append(data, size);
    return size;
}

/// A handle of the rival, as a careful program sets it up.
class Easy {
public:
    explicit Easy(const std::string& url) : easy_{curl_easy_init()} {
        headers_ = curl_slist_append(nullptr, "User-Agent: qconn/0.1");
        headers_ = curl_slist_append(headers_, "Accept: application/json");
        curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
        curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
        curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, 45'000L);
        curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, append);
        curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &body);
        curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
    }
    Easy(const Easy&) = delete;
    Easy& operator=(const Easy&) = delete;
    ~Easy() {
        curl_easy_cleanup(easy_);
        curl_slist_free_all(headers_);
    }
    CURL* get() const noexcept { return easy_; }
    /// Of the body, which is taken.
    bool parses() {
        const std::string text = std::exchange(body, {});
        return nlohmann::json::parse(text)["orders"].size() > 0;
    }

    std::string body;

private:
    CURL* easy_;
    curl_slist* headers_{nullptr};
};

/// Requests after each other until that many are done, `k_in_flight` at a time.
int many_of_rival(CURLM* multi, std::vector<std::unique_ptr<Easy>>& handles, int requests) {
    int begun = 0;
    int failed = 0;
    for (const auto& one : handles) {
        curl_multi_add_handle(multi, one->get());
        ++begun;
    }
    for (int done = 0; done < requests;) {
        int running = 0;
        curl_multi_perform(multi, &running);
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
            Easy* easy = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &easy);
            if (message->data.result != CURLE_OK || !easy->parses()) ++failed;
            ++done;
            curl_multi_remove_handle(multi, easy->get());
            if (begun < requests) {
                curl_multi_add_handle(multi, easy->get());
                ++begun;
            }
        }
        if (done < requests) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
    return failed;
}

class Flight {
public:
    Flight(RestClient& client, std::string path, int requests) : client_{client}, path_{std::move(path)}, left_{requests} {}
    int run() {
        const int first = std::min(k_in_flight, left_.load());
        for (int i = 0; i < first; ++i) next();
        one_less();
        std::unique_lock lock{mutex_};
        over_.wait(lock, [this] { return done_; });
        return failed_;
    }

private:
    void next() {
        if (left_.fetch_sub(1) <= 0) return;
        ++under_way_;
        RestCall call;
        call.path = path_;
        client_.async_call(std::move(call), {}, [this](Result<RestResponse> response) {
            if (!response || response->body["orders"].as_list().empty()) ++failed_;
            next();
            one_less();
        });
    }
    void one_less() {
        if (--under_way_ != 0) return;
        const std::scoped_lock lock{mutex_};
        done_ = true;
        over_.notify_all();
    }

    RestClient& client_;
    const std::string path_;
    std::atomic<int> left_;
    std::atomic<int> under_way_{1};  // one for run(), while it begins
    std::atomic<int> failed_{0};
    std::mutex mutex_;
    std::condition_variable over_;
    bool done_{false};
};

std::string_view g_only;  // part of a name; the others are left out

/// @returns whether the aim is met
bool measure(const char* name, double aim, int requests, const std::function<int(int)>& ours, const std::function<int(int)>& rival) {
    if (std::string_view{name}.find(g_only) == std::string_view::npos) return true;
    const auto time_of = [requests](const std::function<int(int)>& run) {
        const double start = bench::process_seconds();
        if (run(requests) != 0) std::puts("calls failed");
        return (bench::process_seconds() - start) / requests;
    };
    time_of(ours);
    time_of(rival);
    std::vector<double> mine;
    std::vector<double> theirs;
    for (int i = 0; i < k_samples; ++i) {
        mine.push_back(time_of(ours));
        theirs.push_back(time_of(rival));
    }
    const double ratio = bench::median(theirs) / bench::median(mine);
    std::printf(
        "json_get %s: RestClient %.1f us (%.1f to %.1f), libcurl with nlohmann %.1f us (%.1f to %.1f) CPU a request: %.2f x (at least %.1f)\n", name,
        bench::median(mine) * 1e6, *std::min_element(mine.begin(), mine.end()) * 1e6, *std::max_element(mine.begin(), mine.end()) * 1e6,
        bench::median(theirs) * 1e6, *std::min_element(theirs.begin(), theirs.end()) * 1e6, *std::max_element(theirs.begin(), theirs.end()) * 1e6,
        ratio, aim);
    return ratio >= aim;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) g_only = argv[1];
    signal(SIGCHLD, SIG_IGN);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(listener, 1000) != 0) return 1;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    const pid_t server = fork();
    if (server == 0) serve(listener);
    stay_on_core(0);
    const std::string base = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));

    bool met = true;
    {
        RestOptions options;
        options.url = base;
        options.accept_codings.clear();
        options.max_idle = k_in_flight;
        RestClient client{options};
        for (const auto& [path, aim, requests] : {std::tuple{"/small", 1.0, 2000}, std::tuple{"/large", 2.0, 300}}) {
            Easy easy{base + path};
            const auto ours = [&client, path = path](int count) {
                int failed = 0;
                for (int i = 0; i < count; ++i) failed += client.get(path).body["orders"].as_list().empty() ? 1 : 0;
                return failed;
            };
            const auto rival = [&easy](int count) {
                int failed = 0;
                for (int i = 0; i < count; ++i) failed += curl_easy_perform(easy.get()) != CURLE_OK || !easy.parses() ? 1 : 0;
                return failed;
            };
            met = measure(path, aim, requests, ours, rival) && met;

            CURLM* multi = curl_multi_init();
            std::vector<std::unique_ptr<Easy>> handles;
            for (int i = 0; i < k_in_flight; ++i) handles.push_back(std::make_unique<Easy>(base + path));
            const std::string name = std::string{path} + ", 100 in flight";
            met = measure(
                      name.c_str(), 1.0, requests * 2,
                      [&client, path = path](int count) {
                          return Flight{client, path, count}.run();
                      },
                      [&](int count) { return many_of_rival(multi, handles, count); }) &&
                  met;
            handles.clear();
            curl_multi_cleanup(multi);
        }
    }
    kill(server, SIGKILL);
    return met ? 0 : 2;
}
