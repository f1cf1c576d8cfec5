using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Shop.Cli.Tests.Devices;

public sealed class DevicesCommandTests
{
    [Theory]
    [InlineData("--sensors 0", "--sensors")]
    [InlineData("--minutes 0", "--minutes")]
    [InlineData("--steal mug-blue", "--steal")]
    [InlineData("--steal mug-blue:x", "--steal")]
    [InlineData("--sensors 3 --silence 2 --heat 2", "--silence")]
    public async Task What_cannot_be_is_said(string arguments, string named)
    {
        var (code, _, errors) = await CliProcess.RunAsync("", ["devices", .. arguments.Split(' ')]);
        Assert.Equal(1, code);
        Assert.Contains(errors, line => line.Contains(named, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_shop_it_says_so()
    {
        var (code, _, errors) = await CliProcess.RunAsync("", "devices");
        Assert.Equal(1, code);
        Assert.Contains(errors, line => line.Contains("./shop up", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_fleet_registers_sends_steals_and_tidies_up()
    {
        using var shop = new FakeShop();
        var (code, output, _) = await RunAsync(shop, "--sensors", "6", "--minutes", "0.5", "--steal", "mug:3", "--silence", "1", "--heat", "1", "--seed", "1");

        Assert.Equal(0, code);
        Assert.Contains("6 sensors (2 scales) send for 0.5 min; --seed 1 has the same chances.", output);
        Assert.Contains(output, line => line.StartsWith("3 of mug were stolen: an alarm after ", StringComparison.Ordinal));
        Assert.Contains(output, line => line.EndsWith(" fell silent: no alarm", StringComparison.Ordinal));
        Assert.InRange(shop.Weights["sim-shelf-mug"].Max() - shop.Weights["sim-shelf-mug"].Min(), 2 * 350, 4 * 350);
        Assert.Empty(shop.Sensors);
    }

    [Fact]
    public async Task Of_a_shelf_that_another_sensor_weighs_nothing_is_stolen_and_it_says_which()
    {
        using var shop = new FakeShop(weighed: "mug");
        var (code, output, errors) = await RunAsync(shop, "--sensors", "6", "--minutes", "0.5", "--steal", "mug:3");

        Assert.Equal(1, code);
        Assert.Contains(errors, line => line.Contains("mug", StringComparison.Ordinal) && line.Contains("The sensor scale-7 weighs that product's shelf.", StringComparison.Ordinal));
        Assert.Empty(output);
        Assert.Empty(shop.Weights);
        Assert.Empty(shop.Sensors);
    }

    [Fact]
    public async Task The_others_send_and_what_the_shop_refuses_is_said()
    {
        using var shop = new FakeShop(weighed: "mug");
        var (code, output, _) = await RunAsync(shop, "--sensors", "6", "--minutes", "0.05", "--steal", "cap:3", "--seed", "1");

        Assert.Equal(0, code);
        Assert.Contains("Refused: 1 of 6 sensors. sim-shelf-mug: The sensor scale-7 weighs that product's shelf.", output);
        Assert.Contains("5 sensors (1 scales) send for 0.05 min; --seed 1 has the same chances.", output);
        Assert.Empty(shop.Sensors);
    }

    private static async Task<(int Code, IReadOnlyList<string> Output, IReadOnlyList<string> Errors)> RunAsync(FakeShop shop, params string[] arguments)
    {
        var data = Directory.CreateTempSubdirectory("shop-devices-");
        try
        {
            File.WriteAllText(Path.Combine(data.FullName, "state.json"), $$"""{"url":"{{shop.Address}}","parts":[]}""");
            await using var fleet = CliProcess.Start("", data.FullName, ["devices", .. arguments]);
            return (await fleet.ExitedAsync(), fleet.Output, fleet.Errors);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    /// <summary>Answers as a shop does that has two products, ten pieces each; the shelf of one of them may be weighed already.</summary>
    private sealed class FakeShop : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly string? _weighed;

        public FakeShop(string? weighed = null)
        {
            _weighed = weighed;
            Address = $"http://127.0.0.1:{FreePort()}/";
            _listener.Prefixes.Add(Address);
            _listener.Start();
            _ = ServeAsync();
        }

        public string Address { get; }

        public ConcurrentDictionary<string, bool> Sensors { get; } = new();

        public ConcurrentDictionary<string, ConcurrentBag<double>> Weights { get; } = new();

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                var context = await _listener.GetContextAsync();
                var (status, body) = await AnswerAsync(context.Request);
                context.Response.StatusCode = status;
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                context.Response.Close();
            }
        }

        private async Task<(int Status, string Body)> AnswerAsync(HttpListenerRequest request)
        {
            using var reader = new StreamReader(request.InputStream);
            var body = await reader.ReadToEndAsync();
            var sensor = request.Url!.Segments.Length > 3 ? request.Url.Segments[3].Trim('/') : "";
            switch (request.HttpMethod, request.Url.AbsolutePath)
            {
                case ("POST", "/api/dev/token"):
                    return (200, """{"access_token":"operator"}""");
                case ("GET", "/api/catalog"):
                    return (200, """{"items":[{"sku":"cap"},{"sku":"mug"}],"next":null}""");
                case ("GET", "/api/stock/cap" or "/api/stock/mug"):
                    return (200, """{"onHand":10}""");
                case ("GET", "/api/ops/sensors"):
                    return (200, $$"""{"items":[{{string.Join(',', Sensors.Keys.Select(name => $$"""{"sensor":"{{name}}","state":"{{(name == "sim-shelf-mug" ? "alarm" : "ok")}}"}"""))}}],"next":null}""");
                case ("PUT", var path) when path == $"/api/ops/sensors/sim-shelf-{_weighed}":
                    return (409, """{"title":"Conflict","status":409,"errors":{"sku":["The sensor scale-7 weighs that product's shelf."]}}""");
                case ("PUT", var path) when path.StartsWith("/api/ops/sensors/", StringComparison.Ordinal):
                    Sensors[path.Split('/')[^1]] = true;
                    return (201, """{"key":"key"}""");
                case ("DELETE", var path):
                    Sensors.TryRemove(path.Split('/')[^1], out _);
                    return (204, "");
                default:
                    var readings = JsonElement.Parse(body).EnumerateArray().ToList();
                    foreach (var reading in readings.Where(reading => reading.TryGetProperty("weightGrams", out _)))
                        Weights.GetOrAdd(sensor, _ => []).Add(reading.GetProperty("weightGrams").GetDouble());
                    return (202, $$"""{"accepted":{{readings.Count}},"refused":[]}""");
            }
        }

        private static int FreePort()
        {
            using var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            socket.Start();
            return ((IPEndPoint)socket.LocalEndpoint).Port;
        }
    }
}
