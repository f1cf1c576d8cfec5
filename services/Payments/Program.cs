using Shop.Contracts;
using Shop.Messaging;
using Shop.Payments;
using Shop.Payments.CallingProvider;
using Shop.Payments.RequestingPayments;
using Shop.Payments.ReviewingPayments;
using Shop.Payments.ScreeningPayments;
using Shop.Payments.TryingRules;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMessaging<PaymentsDb>("payments", messaging => messaging
    .Produces(Topics.Payments)
    .Endpoint("payments", endpoint => endpoint.Consumes(Topics.Orders).Prefetch<PaymentPrefetch>().Consumer<OrderConsumer>()));
builder.Services.AddOptions<ReviewOptions>().BindConfiguration("Reviews").ValidateDataAnnotations().ValidateOnStart();
builder.AddScreeningPayments();
builder.AddCallingProvider();

var app = builder.Build();
app.MapServiceDefaults();
app.MapScreeningPayments();
app.MapTryingRules();
app.MapReviewingPayments();
app.MapMessaging("payments");
app.Run();
