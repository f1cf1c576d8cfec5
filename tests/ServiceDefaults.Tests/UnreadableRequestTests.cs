using System.Net;
using System.Text;

namespace Shop.ServiceDefaults.Tests;

/// <summary>Nothing that a client can send is answered with 5xx, and the answer names what was wrong.</summary>
public sealed class UnreadableRequestTests(TinyService service) : IClassFixture<TinyService>
{
    private const string Good = """{"lines":[{"sku":"mug-blue","quantity":1}],"shipTo":{"city":"Wien"}}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Good)]
    [InlineData("""{"lines":[],"shipTo":{"city":"Wien"},"unknown":{"deep":[1]},"kind":"gift"}""")]
    public async Task A_good_body_is_read(string body)
    {
        using var response = await PostAsync(body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("{", "body")]
    [InlineData("", "body")]
    [InlineData("null", "body")]
    [InlineData("[]", "body")]
    [InlineData("42", "body")]
    [InlineData("""{"lines":[{"sku":"a","quantity":"two"}],"shipTo":{"city":"W"}}""", "lines[0].quantity")]
    [InlineData("""{"lines":[{"sku":"a","quantity":"2"}],"shipTo":{"city":"W"}}""", "lines[0].quantity")]
    [InlineData("""{"lines":[{"sku":"a","quantity":1.5}],"shipTo":{"city":"W"}}""", "lines[0].quantity")]
    [InlineData("""{"Lines":[{"Sku":"a","Quantity":99999999999}],"shipTo":{"city":"W"}}""", "lines[0].quantity")]
    [InlineData("""{"lines":[{"sku":"a","quantity":1,"price":1e400}],"shipTo":{"city":"W"}}""", "lines[0].price")]
    [InlineData("""{"lines":[{"sku":"a","quantity":1,"price":NaN}],"shipTo":{"city":"W"}}""", "lines[0].price")]
    [InlineData("""{"lines":[{"sku":7,"quantity":1}],"shipTo":{"city":"W"}}""", "lines[0].sku")]
    [InlineData("""{"lines":[{"sku":null,"quantity":1}],"shipTo":{"city":"W"}}""", "lines[0].sku")]
    [InlineData("""{"lines":[{"sku":"a\u0000b","quantity":1}],"shipTo":{"city":"W"}}""", "lines[0].sku")]
    [InlineData("""{"lines":[{"sku":"\ud800","quantity":1}],"shipTo":{"city":"W"}}""", "lines[0].sku")]
    [InlineData("""{"lines":[{"sku":"a"}],"shipTo":{"city":"W"}}""", "lines[0].quantity")]
    [InlineData("""{"lines":[null],"shipTo":{}}""", "shipTo.city")]
    [InlineData("""{"shipTo":{"city":"W"}}""", "lines")]
    [InlineData("""{"lines":null,"shipTo":{"city":"W"}}""", "lines")]
    [InlineData("""{"lines":{},"shipTo":{"city":"W"}}""", "lines")]
    [InlineData("""{"lines":[],"shipTo":{"city":"W","city":"X"}}""", "shipTo.city")]
    [InlineData("""{"lines":[],"shipTo":{"city":"W"},"kind":"surprise"}""", "kind")]
    [InlineData("""{"lines":[],"shipTo":{"city":"W"},"kind":1}""", "kind")]
    [InlineData("""{"lines":[],"shipTo":{"city":"W"},"labels":{"a\u0000":"x"}}""", "labels.a\0")]
    public async Task A_bad_body_is_400_and_names_the_path(string body, string field)
    {
        using var response = await PostAsync(body);
        var problem = await Problem.ReadAsync(response, HttpStatusCode.BadRequest);
        Assert.Equal([field], problem.Errors!.Keys);
        Assert.DoesNotContain("System.", problem.Errors[field][0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_missing_members_are_named()
    {
        using var response = await PostAsync("{}");
        var problem = await Problem.ReadAsync(response, HttpStatusCode.BadRequest);
        Assert.Equal(["lines", "shipTo"], problem.Errors!.Keys.Order());
    }

    [Fact]
    public async Task Invalid_utf8_and_deep_nesting_are_400()
    {
        byte[] invalid = [.. """{"lines":[],"shipTo":{"city":"""u8, (byte)'"', 0xC3, 0x28, (byte)'"', .. "}}"u8];
        using var invalidResponse = await PostAsync(new ByteArrayContent(invalid) { Headers = { ContentType = new("application/json") } });
        await Problem.ReadAsync(invalidResponse, HttpStatusCode.BadRequest);

        var deep = $$"""{"lines":[],"shipTo":{"city":"W"},"other":{{new string('[', 5000)}}{{new string(']', 5000)}}}""";
        using var deepResponse = await PostAsync(deep);
        await Problem.ReadAsync(deepResponse, HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    [InlineData("application/json; v=1; charset=\"utf-8\"")]
    [InlineData("application/merge-patch+json")]
    public async Task Json_is_UTF8_however_that_is_written(string contentType)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Good));
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var response = await PostAsync(content);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=klingon")]
    [InlineData("application/json; charset=\"utf-16\"")]
    [InlineData("nonsense")]
    public async Task Another_content_type_is_415(string contentType)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Good));
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var response = await PostAsync(content);
        await Problem.ReadAsync(response, HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData(10_000_000, false)]
    [InlineData(10_000_000, true)]
    [InlineData(ServiceDefaultsExtensions.MaxRequestBodyBytes + 1, false)]
    [InlineData(ServiceDefaultsExtensions.MaxRequestBodyBytes + 1, true)]
    public async Task A_body_over_128_KiB_is_413_and_names_the_body(int length, bool chunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/orders");
        request.Content = new StringContent("{\"note\":\"" + new string('x', length), Encoding.UTF8, "application/json");
        request.Headers.TransferEncodingChunked = chunked;
        using var response = await service.Client.SendAsync(request, Cancellation);
        var problem = await Problem.ReadAsync(response, HttpStatusCode.RequestEntityTooLarge);
        Assert.Equal(["body"], problem.Errors!.Keys);
    }

    [Fact]
    public async Task A_missing_header_and_a_bad_query_parameter_are_named_as_the_client_knows_them()
    {
        using var header = await service.Client.PostAsync("/keyed", null, Cancellation);
        Assert.Equal(["Idempotency-Key"], (await Problem.ReadAsync(header, HttpStatusCode.BadRequest)).Errors!.Keys);

        using var query = await service.Client.GetAsync("/page?limit=ten", Cancellation);
        Assert.Equal(["limit"], (await Problem.ReadAsync(query, HttpStatusCode.BadRequest)).Errors!.Keys);

        using var renamed = await service.Client.GetAsync("/page?limit=10&after=99999999999999999999", Cancellation);
        Assert.Equal(["after"], (await Problem.ReadAsync(renamed, HttpStatusCode.BadRequest)).Errors!.Keys);

        using var missing = await service.Client.GetAsync("/page", Cancellation);
        Assert.Equal(["limit"], (await Problem.ReadAsync(missing, HttpStatusCode.BadRequest)).Errors!.Keys);

        using var nul = await service.Client.GetAsync("/page?limit=10&search=a%00b", Cancellation);
        Assert.Equal(["search"], (await Problem.ReadAsync(nul, HttpStatusCode.BadRequest)).Errors!.Keys);
    }

    [Fact]
    public async Task An_id_that_cannot_be_one_is_404()
    {
        using var response = await service.Client.GetAsync("/orders/not-a-guid", Cancellation);
        await Problem.ReadAsync(response, HttpStatusCode.NotFound);
    }

    private Task<HttpResponseMessage> PostAsync(string body) =>
        PostAsync(new StringContent(body, Encoding.UTF8, "application/json"));

    private Task<HttpResponseMessage> PostAsync(HttpContent content) => service.Client.PostAsync("/orders", content, Cancellation);
}
