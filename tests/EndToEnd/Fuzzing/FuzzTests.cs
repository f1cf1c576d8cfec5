using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shop.Testing;

namespace Shop.EndToEnd.Fuzzing;

/// <summary>A shop whose gateway takes as many requests as come.</summary>
public sealed class ShopWithoutLimits() : ShopUnderTest(Broker.Embedded)
{
    /// <inheritdoc/>
    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>(base.Settings.Concat(((string[])["Orders", "Activity", "SignIn", "Devices", "Other"])
        .SelectMany(kind => ((string[])["PerSecond", "Burst"]).Select(limit => KeyValuePair.Create($"RateLimits__{kind}__{limit}", "1000000")))))
    { ["SHOP_DASHBOARD"] = "off" };
}

/// <summary>
/// Requests that nobody would send by mistake, at every route that the OpenAPI document has, through the gateway of a whole shop. The same ones each time; <c>FUZZ_SEED</c> and
/// <c>FUZZ_REQUESTS</c> make others, and more.
/// </summary>
public sealed partial class FuzzTests(ShopWithoutLimits shop, ITestOutputHelper output) : IClassFixture<ShopWithoutLimits>
{
    private const int Requests = 10_000, Workers = 16, ShownFindings = 40, ShownLetters = 1_000;

    /// <summary>What of the requests reaches the gateway at the least: HttpClient refuses to send some of what is made up.</summary>
    private const double SentAtLeast = 0.9;

    // many times what it takes: a run that has not come to its end by then has not shown what it is to show
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(20);

    /// <summary>What the gateway and Kestrel answer before any route is asked.</summary>
    private static readonly HashSet<int> OfTheEdge = [400, 401, 403, 404, 405, 413, 414, 415, 429, 431];

    /// <summary>What Kestrel answers to addresses and headers that are longer than it reads, whatever they are for.</summary>
    private static readonly HashSet<int> TooLong = [414, 431];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_thousand_requests_from_the_document_are_no_5xx_and_tell_nothing_and_the_shop_works_afterwards()
    {
        var seed = Setting("FUZZ_SEED", 20261129);
        output.WriteLine($"FUZZ_SEED={seed}");
        var olga = await Shopper.LogInAsync(shop.Gateway, "olga", "operator");
        var document = (await shop.Gateway.GetFromJsonAsync<JsonObject>("/openapi/v1.json", Cancellation))!;
        string operators = await TokenAsync("olga", "operator"), shoppers = await TokenAsync("ada");
        var known = await KnownAsync(olga);
        // those who may do most get furthest
        var fuzzer = new RequestFuzzer(document, seed, known, [operators, operators, operators, operators, shoppers, shoppers, ""], shop.Gateway.BaseAddress!);
        Assert.Equal("", string.Join('\n', await new PlainRequests(shop.Gateway, document, known, [operators, shoppers]).FailuresAsync()));

        var requests = Setting("FUZZ_REQUESTS", Requests);

        var (findings, answers) = await SendAsync(fuzzer, new(document), requests);

        output.WriteLine(string.Join(", ", answers.GroupBy(answer => answer.Key.Status, answer => answer.Value).OrderBy(status => status.Key).Select(status => $"{status.Key}: {status.Sum()}")));
        Assert.True(findings.IsEmpty, $"FUZZ_SEED={seed}: {findings.Count} findings\n{string.Join("\n\n", findings.OrderBy(finding => finding.Number).Take(ShownFindings).Select(finding => finding.Text))}");
        if (requests >= Requests)
            AssertReached(fuzzer.Operations, answers);
        await WorksAsync(olga, seed);
    }

    /// <summary>Where all of an operation's requests are turned away, nothing was tried of it. Of things that a new shop has not, 404 is as far as they get.</summary>
    private static void AssertReached(IReadOnlyList<ApiOperation> operations, ConcurrentDictionary<(ApiOperation? Operation, int Status), int> answers)
    {
        var turnedAway = operations.Where(operation => !answers.Keys.Any(answer => answer.Operation == operation && answer.Status is (>= 200 and < 300) or 404 or 409))
            // the device's key is changed by requests of the same run; before them it was taken
            .Where(operation => operation.Path != "/api/devices/{sensor}/readings")
            .Select(operation => $"{operation.Method} {operation.Path}: {string.Join(", ", answers.Where(answer => answer.Key.Operation == operation).Select(answer => $"{answer.Value} times {answer.Key.Status}"))}");
        Assert.Equal("", string.Join('\n', turnedAway));
    }

    /// <returns>What is wrong, and how often each operation, null for what is none, was answered with each status, 0 for no answer.</returns>
    private async Task<(ConcurrentBag<(int Number, string Text)> Findings, ConcurrentDictionary<(ApiOperation? Operation, int Status), int> Answers)> SendAsync(
        RequestFuzzer fuzzer, AnswerSchemas schemas, int requests)
    {
        var findings = new ConcurrentBag<(int, string)>();
        var answers = new ConcurrentDictionary<(ApiOperation? Operation, int Status), int>();
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8 })
        {
            Timeout = TimeSpan.FromSeconds(60),
        };
        var (next, clock) = (-1, Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            int number;
            while ((number = Interlocked.Increment(ref next)) < requests && clock.Elapsed < LongestRun)
            {
                var request = fuzzer.Make(number);
                var (status, finding) = await SendAsync(client, schemas, request);
                // what is not the operation's own is no answer of it
                answers.AddOrUpdate((request.Strange ? null : request.Operation, status), 1, (_, count) => count + 1);
                if (finding is not null)
                    findings.Add((number, $"{number}: {finding}\n    {request.Operation.Method} {request.Operation.Path}\n    {request.Text[..Math.Min(ShownLetters, request.Text.Length)]}"));
            }
        })));
        var made = answers.Values.Sum();
        var sent = made - answers.Where(answer => answer.Key.Status == 0).Sum(answer => answer.Value);
        Assert.True(made == requests, $"{made} requests of {requests} were made within {LongestRun}");
        Assert.True(sent >= SentAtLeast * requests, $"{sent} requests of {requests} were sent");
        output.WriteLine($"{made} requests in {clock.Elapsed.TotalSeconds:0.0} s at {fuzzer.Operations.Count} operations");
        return (findings, answers);
    }

    private static async Task<(int Status, string? Finding)> SendAsync(HttpClient client, AnswerSchemas schemas, FuzzedRequest request)
    {
        using var message = request.Message;
        try
        {
            using var answer = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            var stream = answer.Content.Headers.ContentType?.MediaType == "text/event-stream";
            var text = stream ? "" : await answer.Content.ReadAsStringAsync(Cancellation);
            return ((int)answer.StatusCode, Judge(request, answer, text) ?? (request.Strange || IsOfKestrel(answer) || !request.Operation.Statuses.Contains((int)answer.StatusCode) ? null
                : JudgeBody(schemas, request, answer, text)));
        }
        catch (HttpRequestException e)
        {
            // a body that is refused while it is still sent; what HttpClient itself does not send was no request
            return (0, e.HttpRequestError is HttpRequestError.Unknown || e.InnerException is IOException && request.Message.Content is not null ? null : $"no answer: {e.Message} {e.InnerException?.Message}");
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NotSupportedException or UriFormatException)
        {
            return (0, null);
        }
        catch (TaskCanceledException)
        {
            return (0, "no answer within a minute");
        }
    }

    /// <summary>What is wrong with the answer; null where nothing is.</summary>
    private static string? Judge(FuzzedRequest request, HttpResponseMessage answer, string text)
    {
        var status = (int)answer.StatusCode;
        var mediaType = answer.Content.Headers.ContentType?.MediaType;
        if (status >= 500 && !(status == 503 && SaysWhenToComeAgain(request.Operation) && answer.Headers.RetryAfter is not null))
            return $"{status} {text}";
        if (status >= 400 && text.Length > 0 && mediaType != "application/problem+json")
            return $"{status} as {mediaType}: {text}";
        var described = request.Operation.Statuses.Contains(status) || TooLong.Contains(status) || request.Strange && (status < 400 || OfTheEdge.Contains(status));
        if (!described)
            return $"{status} is not described: {text[..Math.Min(300, text.Length)]}";
        if (answer.Headers.Concat(answer.Content.Headers).Any(header => header.Key.StartsWith("X-Injected", StringComparison.OrdinalIgnoreCase)))
            return $"{status} with a header that the request wrote";
        if (text.Contains(Repository.Root, StringComparison.Ordinal))
            return $"{status} tells where the shop's files are";
        // operators read what services log
        return request.Operation.Path.StartsWith("/api/ops/logs", StringComparison.Ordinal) || Leak().Match(text) is not { Success: true } leak
            || leak.Value.StartsWith("eyJ", StringComparison.Ordinal) && request.Operation.Path == "/api/dev/token"
            ? null
            : $"{status} tells '{leak.Value}': {text[Math.Max(0, leak.Index - 100)..Math.Min(text.Length, leak.Index + 200)]}";
    }

    /// <summary>Whether the request was none that HTTP knows, as by letters beyond ASCII in its address: Kestrel refuses it without a body, before the gateway has it, whose answers all have its headers.</summary>
    private static bool IsOfKestrel(HttpResponseMessage answer) => answer.StatusCode == HttpStatusCode.BadRequest && !answer.Headers.Contains("X-Content-Type-Options");

    /// <summary>Whether 503 is an answer by design: "there is no room for another stream", and what cannot be written in time is not taken.</summary>
    private static bool SaysWhenToComeAgain(ApiOperation operation) => operation.Path.EndsWith("/stream", StringComparison.Ordinal)
        || operation is { Method: "POST", Path: "/api/activity" or "/api/devices/{sensor}/readings" };

    /// <summary>What of the body is not as the document says; null where nothing is.</summary>
    private static string? JudgeBody(AnswerSchemas schemas, FuzzedRequest request, HttpResponseMessage answer, string text)
    {
        var status = (int)answer.StatusCode;
        return schemas.Check(request.Operation.Path, request.Operation.Method, status, answer.Content.Headers.ContentType?.MediaType, text) is { } deviation
            ? $"{status} is not as it is described: {deviation}"
            : null;
    }

    /// <summary>Stack traces, exceptions, what libraries and the database say, files, secrets, tokens.</summary>
    [GeneratedRegex(@"   at [A-Z]\w+\.|\b\w+Exception\b|\bNpgsql|\bMicrosoft\.|\bSystem\.[A-Z]|SQLSTATE|\b(relation|column) ""|syntax error|/home/|/root/|\.cs:line|[Pp]assword=|eyJ[A-Za-z0-9_-]{10,}\.|PRIVATE KEY")]
    private static partial Regex Leak();

    /// <summary>What there is in the shop, by the names under which requests ask for it; and orders and devices of the fuzzer's own. Of the orders the last can be cancelled: its payment is never answered.</summary>
    private async Task<Dictionary<string, string[]>> KnownAsync(Shopper olga)
    {
        var ada = await Shopper.LogInAsync(shop.Gateway, "ada");
        var orders = new[] { await ada.SubmitOrderAsync(Shopper.Order()), await ada.SubmitOrderAsync(Shopper.Order(token: "tok_declined")), await ada.SubmitOrderAsync(Shopper.Order(token: "tok_silent")) };
        await ada.WaitForEndAsync(orders[0], "fulfilled");
        await ada.WaitForEndAsync(orders[1], "cancelled");
        using var fridge = await olga.SendAsync(HttpMethod.Put, "/api/ops/sensors/fuzzed-fridge", """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""");
        Assert.True(fridge.IsSuccessStatusCode, await fridge.Content.ReadAsStringAsync(Cancellation));
        using var sensor = await olga.SendAsync(HttpMethod.Put, "/api/ops/sensors/fuzzed-shelf", """{"kind":"weight","sku":"mug-blue","unitGrams":350,"tareGrams":1200}""");
        Assert.True(sensor.IsSuccessStatusCode, await sensor.Content.ReadAsStringAsync(Cancellation));
        var key = (await sensor.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("key").GetString()!;
        using var reading = new HttpRequestMessage(HttpMethod.Post, "/api/devices/fuzzed-shelf/readings") { Headers = { { "X-Device-Key", key } }, Content = JsonContent.Create<object[]>([new { at = DateTimeOffset.UtcNow, weightGrams = 1_200 }]) };
        using var taken = await shop.Gateway.SendAsync(reading, Cancellation);
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
        string[] ids = [.. orders.Select(order => order.ToString()), Guid.CreateVersion7().ToString()], skus = ["mug-blue", "mug-red", "shirt-white", "fuzzed-thing", "nothing"];
        return new()
        {
            ["id"] = ids,
            ["order"] = ids,
            ["orderId"] = ids,
            ["paymentId"] = ids,
            ["sku"] = skus,
            // the fridge before the shelf, whose key is known, and stays
            ["sensor"] = ["fuzzed-fridge", "fuzzed-shelf"],
            ["X-Device-Key"] = [key],
            ["If-Match"] = ["*"],
            // not those for which the provider takes its time
            ["token"] = ["tok_visa", "tok_declined"],
            ["currency"] = ["EUR"],
            ["country"] = ["DE", "GB"],
            ["limit"] = ["1", "100"],
            ["from"] = ["beginning", "2026-01-01T00:00:00Z"],
            ["shopper"] = ["ada", "nobody"],
        };
    }

    /// <summary>Nothing is left that services could not handle, and an order is fulfilled: of a new product, by the rules as they are delivered.</summary>
    private async Task WorksAsync(Shopper olga, int seed)
    {
        foreach (var service in (string[])["orders", "inventory", "payments", "activity"])
            Assert.Equal(0, (await olga.GetAsync($"/api/ops/{service}/dead-letters")).GetProperty("items").GetArrayLength());
        await SucceedsAsync(() => olga.SendAsync(HttpMethod.Put, "/api/ops/fraud/rules", "{}"));
        await SucceedsAsync(() => olga.SendAsync(HttpMethod.Put, "/api/ops/faults/payment-provider", """{"answerDelaySeconds":0}"""));
        await SucceedsAsync(() => olga.SendAsync(HttpMethod.Put, "/api/ops/products/after-the-storm", """{"name":"Umbrella","description":"An umbrella.","price":{"amount":9.5,"currency":"EUR"}}"""));
        await SucceedsAsync(() => olga.SendAsync(HttpMethod.Post, "/api/ops/stock/after-the-storm/receipts", """{"quantity":5}""", Guid.NewGuid().ToString()));
        var grace = await Shopper.LogInAsync(shop.Gateway, $"grace-{seed}");
        Guid order = default;
        await SucceedsAsync(async () =>
        {
            var answer = await grace.SubmitAsync(Shopper.Order("after-the-storm"));
            if (answer.StatusCode == HttpStatusCode.Accepted)
                order = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetGuid();
            return answer;
        });
        await grace.WaitForEndAsync(order, "fulfilled");
        await grace.TimelineAsync(order, Shopper.FulfilledLife);
        Assert.All(await shop.PartsAsync(), part => Assert.Equal(0, part.Restarts));
    }

    /// <summary>A product is known to Orders a moment after it is there.</summary>
    private static Task SucceedsAsync(Func<Task<HttpResponseMessage>> send) => Eventually.BecomesAsync("", async () =>
    {
        using var answer = await send();
        return answer.IsSuccessStatusCode ? "" : $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync(Cancellation)}";
    });

    private async Task<string> TokenAsync(string name, params string[] roles)
    {
        using var answer = await shop.Gateway.PostAsJsonAsync("/api/dev/token", new { name, roles }, Cancellation);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("access_token").GetString()!;
    }

    private static int Setting(string name, int value) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var given) ? given : value;
}
